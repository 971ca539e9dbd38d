"""The life of a filter over HTTP and by `tocsin filters`, with a real database and archive."""

from __future__ import annotations

import json

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from services.distribute.deliver import outgoing_alerts
from services.portal.verbs import filters as verb
from shared.filters.engine import FilterEngine
from shared.filters.kept import from_document
from shared.filters.user_filter import UserFilter
from shared.kafka.records import Envelope, Record
from shared.testing.published import published_batch

pytestmark = [pytest.mark.kafka, pytest.mark.database]
NARROW = (
    "SELECT object_id, mag(flux_njy) AS m, lc_flux_njy FROM alerts"
    " WHERE ends_with(alert_id, '5') AND lower(object_id) LIKE 'ztf%'"
)
WIDE = "flux_njy IS NOT NULL"


def given(name, select=NARROW, **more):
    return {"name": name, "select": select, "description": "a test", **more}


def patient(world, who):
    """A client that waits for a backtest on a busy machine."""
    client = world.client(who)
    client.timeout = 180
    return client


def test_checked_backtested_and_never_kept(world):
    with world.client() as anybody:
        good = anybody.post("/api/v1/filters/check", json={"select": NARROW}).json()
        assert good["is_accepted"]
        assert good["columns"] == ["object_id", "m", "lc_flux_njy"]
        assert json.loads(good["avro_schema"])["type"] == "record"
        bad = anybody.post(
            "/api/v1/filters/check", json={"select": "SELECT object_id\nFROM alerts WHERE sleep(1)"}
        ).json()
        assert not bad["is_accepted"]
        assert (bad["line"], bad["column"]) == (2, 19)
        neither = anybody.post("/api/v1/filters/check", json={}).json()
        assert not neither["is_accepted"]
        refused = anybody.post("/api/v1/filters/backtest", json={"select": NARROW})
        assert refused.status_code == 401
    with patient(world, "eve") as eve:
        report = eve.post("/api/v1/filters/backtest", json={"select": NARROW}).json()
        assert 0 < report["wanted"] < report["alerts"]
        assert {night["survey"] for night in report["nights"]} == {"ztf"}, "lsst is private here"
        assert len(report["nights"]) == 2, "the archive's night and tonight"
        example = report["examples"][0]
        assert set(example["sends"]) == {"object_id", "m", "lc_flux_njy"}
        assert len(example["light_curve"]["lc_mjd_tai"]) == len(example["sends"]["lc_flux_njy"])
        broken = eve.post("/api/v1/filters/backtest", json={"select": "object_id::INTEGER > 1"})
        assert broken.status_code == 422
        assert "would be paused" in broken.json()["detail"]
        match = eve.post(
            "/api/v1/filters/backtest", json={"match": {"flux_njy": {"$exists": True}}}
        ).json()
        assert match["wanted"] == match["alerts"] == report["alerts"]


def test_the_life_of_a_filter(world):
    with patient(world, "eve") as eve, patient(world, "olga") as operator:
        made = eve.post("/api/v1/filters", json=given("eves_own"))
        assert made.status_code == 201
        assert made.json()["state"] == "draft"
        assert made.json()["visibility"] == "private"
        path = "/api/v1/filters/eves_own"
        too_wide = eve.post(f"{path}/activate")
        assert too_wide.status_code == 403
        assert too_wide.json()["share"] > 0.05
        allowed = operator.post(f"{path}/activate").json()
        assert allowed["state"] == "active"
        assert allowed["guard"]["wanted"] > 0
        assert allowed["topic"] == "portal.out.eves_own"
        none = eve.post("/api/v1/filters", json=given("eves_own", f"{NARROW} AND false"))
        assert none.json()["version"] == 2
        assert eve.post(f"{path}/activate").json()["version"] == 2
        states = [(one["version"], one["state"]) for one in eve.get(path).json()]
        assert states == [(1, "retired"), (2, "active")]
        subject = "portal.out.eves_own-value"
        paused = eve.post(f"{path}/pause").json()
        assert (paused["state"], paused["reason"]) == ("paused", "paused by eve")
        assert eve.post(f"{path}/activate").json()["state"] == "active"
        assert eve.post(f"{path}/retire").json()["state"] == "retired"
        assert eve.post(f"{path}/retire").status_code == 409
        versions = eve.get(f"/api/v1/registry/subjects/{subject}/versions")
        assert versions.json() == [1], "both versions of the filter send the same columns"
        with world.client("rhea") as other:
            assert other.get(f"/api/v1/registry/subjects/{subject}/versions").status_code == 404


def test_confluents_deserializer_reads_what_a_select_sends(world):
    with patient(world, "olga") as operator:
        operator.post("/api/v1/filters", json=given("narrow", visibility="public"))
        assert operator.post("/api/v1/filters/narrow/activate").status_code == 200
    each = UserFilter(name="narrow", select=NARROW, description="a test", owner="olga")
    batch = published_batch(60, survey="ztf")
    envelope = Envelope(Record("t", 0, 0, 0, None, b""), batch)
    (messages,) = outgoing_alerts(FilterEngine([each]), [envelope], "portal.").values()
    decode = AvroDeserializer(SchemaRegistryClient({"url": f"{world.url}/api/v1/registry"}))
    where = SerializationContext("portal.out.narrow", MessageField.VALUE)
    found = [decode(message.value, where) for message in messages]
    rows = [row for row in batch.record_batch.to_pylist() if row["alert_id"].endswith("5")]
    assert [one["object_id"] for one in found] == [row["object_id"] for row in rows]
    assert len(found[0]["lc_flux_njy"]) == len(rows[0]["lc_flux_njy"])


def test_what_is_anothers_stays_so(world):
    with patient(world, "eve") as eve, patient(world, "vera") as vera, world.client() as anybody:
        assert vera.post("/api/v1/filters", json=given("veras")).status_code == 201
        assert eve.get("/api/v1/filters/veras").status_code == 404
        assert anybody.get("/api/v1/filters/veras").status_code == 404
        for what in ("activate", "pause", "retire", "backtest"):
            assert eve.post(f"/api/v1/filters/veras/{what}").status_code == 404
        assert eve.post("/api/v1/filters", json=given("veras")).status_code == 409
        assert eve.post("/api/v1/filters/bright/pause").status_code == 403
        listed = {one["name"] for one in eve.get("/api/v1/filters").json()["items"]}
        assert "bright" in listed
        assert not listed & {"veras", "secret_filter"}
        assert anybody.post("/api/v1/filters", json=given("nobodys")).status_code == 401
        theirs = eve.post("/api/v1/filters", json=given("of_a_group", group="novae"))
        assert theirs.status_code == 403


def test_a_refused_filter_says_where(world):
    with patient(world, "eve") as eve:
        answer = eve.post("/api/v1/filters", json=given("bad", "SELECT x\nFROM alerts"))
        assert answer.status_code == 422
        assert (answer.json()["line"], answer.json()["column"]) == (1, 8)
        for more in ({"python": "nothing"}, {"survey": "nothing"}, {"select": None}):
            assert eve.post("/api/v1/filters", json=given("bad", **more) if "select" not in more
                             else {**given("bad"), **more}).status_code == 422  # fmt: skip


def test_by_the_command_line(world, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TOCSIN_PORTAL_URL", world.url)
    monkeypatch.setenv("TOCSIN_TOKEN", world.tokens["olga"])
    path = tmp_path / "command_line.sql"
    path.write_text(NARROW)
    assert verb.main(["check", str(path)]) == 0
    assert verb.main(["backtest", str(path), "--plot", str(tmp_path / "p.png")]) == 0
    out = capsys.readouterr().out
    assert "a night" in out
    assert "sends object_id=ZTF" in out
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert verb.main(["create", str(path), "--description", "by hand"]) == 0
    assert verb.main(["activate", "command_line"]) == 0
    assert "its alerts go to portal.out.command_line" in capsys.readouterr().out
    assert verb.main(["list", "--state", "active", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "command_line" in {one["name"] for one in listed}
    assert verb.main(["show", "command_line"]) == 0
    assert "by hand" in capsys.readouterr().out
    assert verb.main(["backtest", "command_line", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wanted"] > 0
    assert verb.main(["pause", "command_line"]) == 0
    assert verb.main(["retire", "command_line"]) == 0
    assert verb.main(["show", "no_such_filter"]) == 1
    path.write_text("SELECT getenv('HOME') AS h FROM alerts")
    assert verb.main(["create", str(path)]) == 2
    assert "getenv" in capsys.readouterr().err


async def test_what_the_portal_keeps_is_what_distribute_reads(world):
    from shared.store import Collection, open_store

    store = open_store(world.settings)
    with patient(world, "vera") as vera:
        vera.post("/api/v1/filters", json=given("read_back", group="novae"))
    (document,) = await store.find(Collection.FILTERS, {"name": "read_back"})
    each = from_document(document)
    assert (each.select, each.group, each.is_public, each.owner) == (NARROW, "novae", False, "vera")
    assert each.owner_groups == ("novae",)
    store.close()
