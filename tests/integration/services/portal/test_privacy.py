"""Every endpoint, asked by everybody: nobody reads what is not theirs.

The endpoints are those of the OpenAPI document, so that a new one cannot be forgotten: it fails
here until ``TRY`` says what to ask it for.
"""

import itertools
import re

import httpx
import pytest

from tests.integration.services.portal.conftest import LIVE_NIGHT, MAY_SEE, PACKED_NIGHT, PEOPLE

pytestmark = [pytest.mark.kafka, pytest.mark.database]

TRY = {
    "object_id": ["ZTFOBJ0", "WINKOBJ0", "WINKOBJ33"],
    "alert_id": ["ZTF2", "WINK0"],
    "event_id": ["S260101a"],
    "stamp": ["science"],
    "name": ["bright", "secret_filter"],
    "subject": ["portal.out.bright-value", "portal.out.secret_filter-value"],
    "schema_id": ["1", "OWN"],
    "version": ["latest", "1"],
    "user": ["vera"],
    "prefix": ["00000000"],
    "night": [str(LIVE_NIGHT), str(PACKED_NIGHT)],
    "job_id": ["nobodys"],
    "part": ["phase"],
    "identity": ["aaaaaaaaaaaa", "bbbbbbbbbbbb"],
}
"""What to put for each parameter of a path."""
ASK = [
    {},
    {"survey": "lsst", "night": LIVE_NIGHT, "ra_deg": 210.91, "dec_deg": 54.32,
     "radius_arcsec": 3600, "RA": 210.91, "DEC": 54.32, "SR": 1, "limit": 1000},
    {"survey": "ztf", "night": LIVE_NIGHT, "ra_deg": 210.91, "dec_deg": 54.32,
     "radius_arcsec": 3600, "format": "csv", "object_id": "WINKOBJ0"},
]  # fmt: skip
"""Queries every endpoint is asked with; what it does not know it ignores."""
SLOW = ("/stream", "/backtest", "/tables")
"""Ends of paths that are asked once, by one of each kind."""
ONE_OF_EACH_KIND = ("", "eve", "vera")
QUERIES_BY_POST = ("/check", "/backtest")
"""Change nothing; anybody may, or whoever has a token."""
EVERYBODY = ["", *PEOPLE]


def endpoints(world):
    document = httpx.get(f"{world.url}/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path


def filled(path, own_schema_id):
    names = re.findall(r"{(\w+)}", path)
    missing = [name for name in names if name not in TRY]
    assert not missing, f"{path}: say in TRY what to ask for {missing}"
    for values in itertools.product(*(TRY[name] for name in names)):
        given = [str(own_schema_id) if value == "OWN" else value for value in values]
        yield path.format(**dict(zip(names, given, strict=True))), given


@pytest.fixture(scope="module")
def own_schema_id(world):
    with world.client("vera") as client:
        (found,) = [
            client.get(f"/api/v1/registry/subjects/{subject}/versions/latest").json()["id"]
            for subject in client.get("/api/v1/registry/subjects").json()
            if "secret" in subject
        ]
    return found


def words_of(client, path, params, given):
    """What an answer says, without the words that were in the question."""
    if path.endswith("/stream"):
        text = streamed(client, path)
    else:
        answer = client.get(path, params=params)
        assert answer.status_code < 500, (path, params, answer.text)
        text = answer.text
    asked = [*given, *(str(value) for value in params.values())]
    for word in sorted(asked, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def streamed(client, path):
    """The first second of a stream, from its oldest message."""
    text = ""
    try:
        with client.stream("GET", path, params={"since": "earliest"}, timeout=1.0) as answer:
            for chunk in answer.iter_text():
                text += chunk
    except httpx.TimeoutException:
        pass
    return text


@pytest.mark.timeout(300)
def test_nobody_reads_what_is_not_theirs(world, own_schema_id):
    leaks, seen = [], set()
    for who in EVERYBODY:
        with world.client(who) as client:
            for method, path in endpoints(world):
                is_slow = path.endswith(SLOW)
                if method != "GET" or (is_slow and who not in ONE_OF_EACH_KIND):
                    continue
                for place, given in filled(path, own_schema_id):
                    for params in ASK[:1] if is_slow else ASK:
                        text = words_of(client, place, params, given)
                        for word, people in MAY_SEE.items():
                            if word in text and who not in people:
                                at = text.index(word)
                                leaks.append((who, place, params, text[max(0, at - 80) : at + 80]))
                            elif word in text:
                                seen.add((word, who))
    assert leaks == []
    # What is hidden must be there to be seen, or this test proves nothing.
    assert {(word, who) for word, people in MAY_SEE.items() for who in people} == seen


def test_only_who_may_write_can_write(world, own_schema_id):
    for method, path in endpoints(world):
        if method == "GET" or path.endswith(QUERIES_BY_POST) or "/tap/" in path:
            continue
        for who in ("", "rhea"):
            with world.client(who) as client:
                for place, _ in filled(path, own_schema_id):
                    answer = client.request(method, place, json={})
                    assert answer.status_code in {401, 403}, (who, method, place, answer.text)


def test_what_is_anothers_cannot_be_changed(world, own_schema_id):
    """Eve may write; nothing of Vera's, and what is private looks as if it were not there."""
    for method, path in endpoints(world):
        owned = "{name}" in path or "{identity}" in path
        if method == "GET" or not owned or path.endswith("/backtest"):
            continue
        with world.client("eve") as client:
            for place, given in filled(path, own_schema_id):
                answer = client.request(method, place, json={})
                is_hidden = "secret_filter" in given or "{identity}" in path
                allowed = {404} if is_hidden else {403, 404, 409}
                assert answer.status_code in allowed, (method, place, answer.text)


def test_tap_answers_as_the_caller_may_see(world):
    sql = "SELECT survey, object_id, watchlists, regions FROM alerts"
    for who in ("eve", "vera", "olga"):
        with world.client(who) as client:
            answer = client.post("/api/v1/tap/sync", data={"QUERY": sql, "FORMAT": "csv"})
            assert answer.status_code == 200
            words = {word for word in ("SECRETLIST", "SECRETREGION", "WINK") if word in answer.text}
            assert words == {word for word in MAY_SEE if who in MAY_SEE[word]} & {
                "SECRETLIST", "SECRETREGION", "WINK"
            }  # fmt: skip


def test_a_backtest_shows_what_its_owner_may_see(world):
    for who in ("eve", "olga"):
        with world.client(who) as client:
            answer = client.post(
                "/api/v1/filters/backtest", params={"nights": 400},
                json={"select": "SELECT object_id, watchlists FROM alerts WHERE TRUE"},
            )  # fmt: skip
            assert answer.status_code == 200
            assert "ZTFOBJ" in answer.text
            words = {word for word in MAY_SEE if word in answer.text}
            assert {word for word in words if who not in MAY_SEE[word]} == set()


def test_a_job_is_its_owners(world):
    with world.client("vera") as vera, world.client("eve") as eve, world.client("olga") as olga:
        made = vera.post("/api/v1/tap/async", data={"QUERY": "SELECT survey FROM alerts"})
        place = httpx.URL(made.headers["location"]).path
        assert vera.get(place).status_code == olga.get(place).status_code == 200
        assert place in vera.get("/api/v1/tap/async").text
        for path in (place, f"{place}/phase", f"{place}/results/result", f"{place}/parameters"):
            assert eve.get(path).status_code == 404
        assert eve.delete(place).status_code == 404
        assert place not in eve.get("/api/v1/tap/async").text
        assert vera.delete(place).status_code == 303
        assert vera.get(place).status_code == 404
