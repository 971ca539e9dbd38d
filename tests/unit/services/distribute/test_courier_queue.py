"""Pacing, documents and secrets of the courier."""

from __future__ import annotations

import json
import struct

import fastavro
import pytest

from services.distribute.courier.documents import Documents
from services.distribute.courier.pacing import Allowance, Pauses
from services.distribute.peers.tns_reports import at_report, tns_time
from shared.errors import RejectedRecordError
from shared.kafka.records import Record
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.schema import alert_schema
from shared.subscriptions.channel_settings import settings_of
from shared.subscriptions.secrets import Sealer, SecretsError
from shared.subscriptions.subscription import Subscription
from shared.testing.associations import association
from shared.testing.published import published_batch

PARSED = fastavro.parse_schema(alert_schema())


async def alert_schema_of(number):
    if number != 1:
        raise ValueError(f"no schema has the id {number}")
    return PARSED


def record(value):
    return Record("t", 0, 0, 1, None, value)


def alert(**changes):
    return encode_alerts(published_batch(1, changes=changes).record_batch)[0]


def test_an_allowance_is_spent_and_grows_again():
    now = 0.0
    allowance = Allowance(60, clock=lambda: now)
    assert allowance.left() == 60
    allowance.spend(60)
    assert allowance.left() == 0
    assert allowance.wait_s() == pytest.approx(1.0)
    now = 2.5
    assert allowance.left() == 2
    now = 1e6
    assert allowance.left() == 60


def test_pauses_double_up_to_the_longest_and_obey_the_peer():
    pauses = Pauses(1.0, 8.0)
    found = [pauses.next_s() for _ in range(6)]
    for pause, middle in zip(found, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.75 * middle <= pause <= 1.25 * middle
    assert pauses.next_s(30.0) >= 30.0
    assert pauses.next_s(1e9) <= 3600.0
    pauses.reset()
    assert pauses.next_s() <= 1.25


async def test_an_alert_becomes_json_without_nan_and_without_others_private_hits():
    hit = {"name": "mine", "separation_arcsec": 0.1, "target": "x", "version": "1"}
    value = alert(
        object_id=["ZTF26abc"], lc_flux_njy=[[float("nan"), 5.0]], lc_mjd_tai=[[1.0, 2.0]],
        lc_flux_err_njy=[[1.0, 1.0]], lc_band=[[1, 1]], lc_kind=[[2, 0]],
        watchlists=[[
            hit | {"owner": "vera", "is_public": False},
            hit | {"owner": "eve", "is_public": False, "name": "secret"},
            hit | {"owner": "eve", "is_public": True, "name": "open"},
        ]],
    )  # fmt: skip
    documents = Documents(alert_schema_of)
    _, object_id, text = await documents.read("out.bright", record(value), "vera")
    said = json.loads(text)
    assert object_id == said["object_id"] == "ZTF26abc"
    assert said["lc_flux_njy"] == [None, 5.0]
    assert [each["name"] for each in said["watchlists"]] == ["mine", "open"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("out.bright", b""),
        ("out.bright", b"\x01\x00\x00\x00\x01abc"),
        ("out.bright", struct.pack(">bi", 0, 99) + b"abc"),
        ("out.bright", struct.pack(">bi", 0, 1) + b"\xff" * 40),
        ("associations", b"{}"),
        ("voevents", b"\xff\xfe"),
        ("targets", b"not JSON"),
        ("targets", b"[1]"),
    ],
)
async def test_what_is_no_message_of_its_topic_is_refused(source, value):
    with pytest.raises(RejectedRecordError, match="bad_message"):
        await Documents(alert_schema_of).read(source, record(value), "vera")


async def test_an_association_is_known_by_its_statement():
    one = association()
    subject, object_id, _ = await Documents(alert_schema_of).read(
        "associations", record(one.to_json()), "vera"
    )
    assert (subject, object_id) == (one.delivery_id, one.object_id)


def test_a_secret_is_sealed_with_a_key_that_only_its_owner_may_read(tmp_path):
    path = tmp_path / "folder" / "key"
    sealer = Sealer.from_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = sealer.seal("a secret")
    assert "a secret" not in sealed
    assert Sealer.from_file(path).open(sealed).get_secret_value() == "a secret"
    with pytest.raises(SecretsError, match="another key") as caught:
        Sealer.from_file(tmp_path / "other").open(sealed)
    assert sealed not in str(caught.value)
    path.chmod(0o644)
    with pytest.raises(SecretsError, match="chmod 600"):
        Sealer.from_file(path)
    (tmp_path / "bad").write_text("short")
    (tmp_path / "bad").chmod(0o600)
    with pytest.raises(SecretsError, match="32 bytes"):
        Sealer.from_file(tmp_path / "bad")


def test_a_subscription_is_shown_without_its_secret():
    one = Subscription(
        subscription_id="0" * 12, name="x", source="out.bright", channel="webhook", owner="vera",
        created_ms=1, sealed_secret="gAAAA-sealed",  # noqa: S106  # none
    )  # fmt: skip
    assert "gAAAA-sealed" not in f"{one.told()} {one!r}"
    assert one.told()["has_secret"]
    assert one.filter_name == "bright"
    with pytest.raises(ValueError, match="source"):
        Subscription.model_validate(one.model_dump() | {"source": "alerts"})


TNS = settings_of(
    "tns",
    {"bot_id": 1, "bot_name": "b", "reporting_group_id": 2, "data_source_id": 3,
     "reporter": "A. Nova"},
)  # fmt: skip
DETECTED = {
    "survey": "lsst", "object_id": "169298432183", "ra_deg": 1.0, "dec_deg": 2.0,
    "mjd_tai": 61366.0, "band": "i", "flux_njy": 3630.78,
}  # fmt: skip


def test_a_report_of_rubin_bears_its_names_and_numbers():
    entry = at_report(TNS, DETECTED)
    assert entry["internal_name"] == "LSST-AP-DO-169298432183"
    (point,) = entry["photometry"]["photometry_group"].values()
    assert (point["filter_value"], point["instrument_value"]) == ("163", "287")
    assert point["flux"] == "22.5000"
    assert entry["non_detection"]["archiveid"] == "0"
    assert tns_time(61366.0 + 37 / 86400) == "2026-11-22 00:00:00"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"band": None}, "missing_columns"),
        ({"survey": "atlas"}, "unknown_survey"),
        ({"band": "q"}, "unknown_band"),
        ({"flux_njy": -5.0}, "negative_flux"),
    ],
)
def test_what_cannot_be_reported_is_said(changes, reason):
    with pytest.raises(RejectedRecordError, match=reason):
        at_report(TNS, DETECTED | changes)
