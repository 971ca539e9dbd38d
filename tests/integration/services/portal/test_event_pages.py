"""The list of events goes by their own time; pages of one event and of one filter."""

from __future__ import annotations

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.archive.store import record_document
from services.portal.paging import Paging, read_cursor
from services.portal.problems import ProblemError
from services.portal.reading.events import Events
from shared.kafka.records import Record
from shared.schemas.notice import Notice, notice_id_of
from shared.settings import ServiceSettings
from shared.store import Collection, open_store

pytestmark = [pytest.mark.kafka, pytest.mark.database]

TOLD = (
    ("old", 60_000.0, 1), ("newest", 61_000.0, 2), ("twin_a", 60_500.0, 3), ("twin_b", 60_500.0, 4),
    ("moved", 60_100.0, 5), ("moved", 60_900.0, 6), ("old", 60_000.0, 1),
)  # fmt: skip
"""Event, its time (MJD TAI), its notice's time of issue; the last is an old notice sent again."""
IN_ORDER = ["newest", "moved", "twin_b", "twin_a", "old"]


def notice(event_id, mjd_tai, issued_ms):
    payload = f"{event_id}{issued_ms}".encode()
    return Notice(
        notice_id=notice_id_of(payload), notice_type="lvk", messenger="gravitational_wave",
        event_id=event_id, format="json", role="observation", alert_kind="preliminary",
        issued_ms=issued_ms, received_ms=issued_ms, event_time="2024-01-01T00:00:00",
        event_mjd_tai=mjd_tai, payload=payload,
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(database):
    settings = ServiceSettings(
        database_uri=SecretStr(database.uri), database_name="portal_event_order"
    )
    found = open_store(settings)
    await found.prepare()
    records = [notice(*one) for one in TOLD]
    documents = [
        record_document(Record("notices", 0, n, 1_790_000_000_000 + n, one.key, one.to_json()))
        for n, one in enumerate(records)
    ]
    await found.insert(Collection.NOTICES, documents)
    yield found
    found.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
async def test_events_come_by_their_own_time_on_pages_of_any_length(store, limit):
    names, after = [], None
    while True:
        events, cursor = await Events(store).newest(Paging(limit=limit, after=after))
        names += [event["event_id"] for event in events]
        if cursor is None or not events:
            break
        after = read_cursor(cursor)
    assert names == IN_ORDER


@pytest.mark.asyncio(loop_scope="module")
async def test_each_is_told_as_its_last_issued_notice_has_it(store):
    events, _ = await Events(store).newest(Paging(limit=9, after=None))
    assert {e["event_id"]: e["issued_ms"] for e in events} == {
        "old": 1, "newest": 2, "twin_a": 3, "twin_b": 4, "moved": 6,
    }  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("after", [("a",), (1.0,), ("a", "b"), (1.0, 2.0), (1.0, "a", 2)])
async def test_a_cursor_of_another_list_is_refused(store, after):
    with pytest.raises(ProblemError, match="cursor"):
        await Events(store).newest(Paging(limit=1, after=after))


def test_the_page_of_an_event(world):
    with world.client("") as client:
        listed = client.get("/events").text
        page = client.get("/events/S260101a").text
    assert '<a href="/events/S260101a">' in listed
    assert "not real: <strong>test</strong>" in page
    assert "/objects/ZTFOBJ0?survey=ztf" in page
    assert "WINKOBJ0" not in page  # of a private survey
    assert '<a href="/api/v1/events/S260101a">' in page
    with world.client("vera") as client:
        assert "/objects/WINKOBJ0?survey=lsst" in client.get("/events/S260101a").text


def test_the_page_of_a_filter(world):
    with world.client("") as client:
        listed = client.get("/filters").text
        page = client.get("/filters/bright").text
        hidden = client.get("/filters/secret_filter")
    assert '<a href="/filters/bright">' in listed
    assert "<pre>SELECT * FROM alerts</pre>" in page
    assert "portal.out.bright" in page
    assert "Version 1 is <strong>active</strong>" in page
    assert hidden.status_code == 404


@pytest.mark.parametrize("path", ["/events/S999999z", "/filters/nobody_has_it"])
def test_what_is_not_there_is_said_on_a_page(world, path):
    with world.client("") as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "No such" in answer.text
