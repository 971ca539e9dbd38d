"""Clients that nobody here wrote: pyvo, confluent_kafka's deserializer, plain curl's habits."""

import json
import time

import astropy.io.votable
import httpx
import pyarrow.parquet as pq
import pytest
import pyvo
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from requests import Session

from tests.integration.services.portal.conftest import DEC_DEG, RA_DEG

pytestmark = [pytest.mark.kafka, pytest.mark.database]


def session(world, who):
    made = Session()
    made.trust_env = False
    if who:
        made.headers["Authorization"] = f"Bearer {world.tokens[who]}"
    return made


def test_pyvo_searches_a_cone(world):
    service = pyvo.dal.SCSService(f"{world.url}/api/v1/scs", session=session(world, ""))
    found = service.search(pos=(RA_DEG, DEC_DEG), radius=0.1)
    # Four objects that are packed, four that came since; none of the private survey.
    assert {row["object_id"] for row in found} == {
        *(f"ZTFOBJ{n}" for n in range(4)), *(f"ZTFOBJ{n}" for n in range(33, 38))
    }  # fmt: skip
    assert found.fieldname_with_ucd("POS_EQ_RA_MAIN") == "ra_deg"
    assert len(service.search(pos=(RA_DEG, DEC_DEG), radius=0.0)) == 0
    with pytest.raises(pyvo.DALQueryError, match="SR is in"):
        service.search(pos=(RA_DEG, DEC_DEG), radius=90.0)


def test_pyvo_queries_the_archive(world):
    service = pyvo.dal.TAPService(f"{world.url}/api/v1/tap", session=session(world, "ines"))
    assert service.available
    assert {"alerts", "objects", "detections"} <= set(service.tables.keys())
    assert "ra_deg" in {column.name for column in service.tables["alerts"].columns}
    cone = f"CONTAINS(POINT('ICRS', ra_deg, dec_deg), CIRCLE('ICRS', {RA_DEG}, {DEC_DEG}, 0.002))"
    found = service.run_sync(
        "SELECT TOP 5 object_id, ra_deg FROM alerts WHERE survey = 'ztf' AND 1 = " + cone  # noqa: S608
    )
    assert 0 < len(found) <= 5
    described = service.run_sync(
        "SELECT column_name, unit FROM TAP_SCHEMA.columns WHERE table_name = 'alerts'"
    )
    assert dict(zip(described["column_name"], described["unit"], strict=True))["ra_deg"] == "deg"
    with pytest.raises(pyvo.DALQueryError, match="no relation secrets"):
        service.run_sync("SELECT * FROM secrets")


def test_pyvo_waits_for_a_job(world):
    service = pyvo.dal.TAPService(f"{world.url}/api/v1/tap", session=session(world, "vera"))
    job = service.submit_job("SELECT survey, count(*) AS n FROM alerts GROUP BY survey")
    assert job.phase == "PENDING"
    job.run().wait(phases=["COMPLETED", "ERROR"], timeout=30.0)
    assert job.phase == "COMPLETED"
    assert sorted(job.fetch_result()["n"]) == [12, 12]
    job.delete()
    broken = service.submit_job("SELECT nothing FROM alerts")
    broken.run().wait(phases=["COMPLETED", "ERROR"], timeout=30.0)
    with pytest.raises(pyvo.DALQueryError, match="nothing"):
        broken.raise_if_error()
    broken.delete()


def test_confluents_deserializer_reads_an_out_topic(world):
    registry = SchemaRegistryClient({"url": f"{world.url}/api/v1/registry"})
    decode = AvroDeserializer(registry)
    topic = "portal.out.bright"
    consumer = Consumer({
        "bootstrap.servers": world.settings.kafka_bootstrap_servers, "group.id": "portal_test",
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    consumer.subscribe([topic])
    found = []
    deadline = time.monotonic() + 30
    while len(found) < 24 and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and not message.error():
            context = SerializationContext(topic, MessageField.VALUE)
            found.append(decode(message.value(), context))
    consumer.close()
    assert [one["alert_id"] for one in found[:3]] == ["ZTF0", "ZTF1", "ZTF2"]
    assert registry.get_latest_version(f"{topic}-value").schema_id == 1
    assert registry.get_versions(f"{topic}-value") == [1]


def test_a_token_opens_the_registry_of_a_private_filter(world):
    url = f"{world.url}/api/v1/registry"
    config = {"url": url, "bearer.auth.credentials.source": "STATIC_TOKEN",
              "bearer.auth.token": world.tokens["ines"], "bearer.auth.logical.cluster": "x",
              "bearer.auth.identity.pool.id": "x"}  # fmt: skip
    subjects = SchemaRegistryClient(config).get_subjects()
    assert subjects == ["portal.out.secret_filter-value"]
    assert SchemaRegistryClient({"url": url}).get_subjects() == []


def test_a_stream_goes_on_where_it_stopped(world):
    def read(count, **headers):
        found = []
        with (
            world.client() as client,
            client.stream(
                "GET",
                "/api/v1/filters/bright/stream",
                params={"since": "earliest"},
                headers=headers,
            ) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            event = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif event.get("event") == "alert":
                    found.append((event["id"], json.loads(event["data"])["alert_id"]))
                    event = {}
                    if len(found) == count:
                        break
                else:
                    event = {}
        return found

    first = read(3)
    assert [alert for _, alert in first] == ["ZTF0", "ZTF1", "ZTF2"]
    assert [alert for _, alert in read(2, **{"Last-Event-ID": first[-1][0]})] == ["ZTF3", "ZTF4"]


def test_streams_are_counted(world):
    with world.client("rhea") as client:
        most = world.settings.portal_streams_per_caller
        held = [client.stream("GET", "/api/v1/filters/bright/stream") for _ in range(most)]
        for one in held:
            assert one.__enter__().status_code == 200
        assert client.get("/api/v1/filters/bright/stream").status_code == 429
        for one in held:
            one.__exit__(None, None, None)


def test_a_light_curve_in_every_form(world, tmp_path):
    path = "/api/v1/objects/ZTFOBJ0/light-curve"
    with world.client() as client:
        columns = client.get(path).json()["columns"]
        rows = len(columns["mjd_tai"])
        assert rows > 3
        text = client.get(path, headers={"Accept": "text/csv"})
        assert text.headers["content-type"].startswith("text/csv")
        assert len(text.text.strip().splitlines()) == rows + 1
        (tmp_path / "lc.parquet").write_bytes(
            client.get(path, params={"format": "parquet"}).content
        )
        assert pq.read_table(tmp_path / "lc.parquet").num_rows == rows
        (tmp_path / "lc.xml").write_bytes(client.get(path, params={"format": "votable"}).content)
        table = astropy.io.votable.parse_single_table(tmp_path / "lc.xml")
        assert len(table.array) == rows
        assert str(table.get_field_by_id_or_name("flux_njy").unit) == "nJy"
        assert client.get(path, headers={"Accept": "image/png"}).status_code == 406


def test_an_answer_that_is_known_is_not_sent_again(world):
    with world.client() as client:
        first = client.get("/api/v1/objects/ZTFOBJ0")
        again = client.get(
            "/api/v1/objects/ZTFOBJ0", headers={"If-None-Match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["content-encoding"] == "gzip"


def test_pages_follow_each_other(world):
    found, cursor = [], None
    with world.client() as client:
        while True:
            page = client.get(
                "/api/v1/objects/ZTFOBJ0/alerts",
                params={"limit": 2} | ({"cursor": cursor} if cursor else {}),
            ).json()
            found += [alert["alert_id"] for alert in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert found == ["ZTF0", "ZTF1", "ZTF2"]


def test_a_label_goes_to_its_topic_in_the_callers_name(world):
    given = {"object_id": "ZTFOBJ1", "class_name": "SN II", "source": "expert"}
    with world.client("eve") as client:
        kept = client.post("/api/v1/labels", json=given)
        assert kept.status_code == 202
        assert kept.json()["label"] | {"author": "eve", "survey": "ztf"} == kept.json()["label"]
        forged = client.post("/api/v1/labels", json={**given, "author": "vera"})
        assert forged.status_code == 422
        assert (
            client.post("/api/v1/labels", json={**given, "object_id": "WINKOBJ0"}).status_code
            == 404
        )
        vote = client.post("/api/v1/votes", json={"object_id": "ZTFOBJ1", "opinion": "anomaly"})
        assert (vote.status_code, vote.json()["user"]) == (202, "eve")


def test_an_anomaly_list_is_its_users_own(world):
    path = "/api/v1/anomalies"
    with world.client() as client:
        assert client.get(path).status_code == 401
    with world.client("vera") as client:
        first = client.get(path, params={"limit": 2}).json()
        assert [one["object_id"] for one in first["items"]] == ["SECRETANOMALY", "WINKOBJ0"]
        assert first["objects"] == 40
        assert first["items"][0]["reasons"][0]["feature"] == "snr_greatest"
        rest = client.get(path, params={"cursor": first["next_cursor"]}).json()
        assert [(one["rank"], one["object_id"]) for one in rest["items"]] == [(3, "ZTFOBJ1")]
        assert rest["next_cursor"] is None
        etag = client.get(path).headers["etag"]
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    with world.client("eve") as client:  # who may not see the private survey's
        found = client.get(path).json()["items"]
        assert [(one["rank"], one["object_id"]) for one in found] == [
            (2, "ZTFOBJ0"), (3, "ZTFOBJ1"),
        ]  # fmt: skip
        other = client.get("/api/v1/votes", params={"limit": 1}).json()["next_cursor"]
        assert other is None or client.get(path, params={"cursor": other}).status_code == 422
    with world.client("rhea") as client:
        assert client.get(path).json() == {
            "items": [], "next_cursor": None, "at_ms": None, "objects": 0,
        }  # fmt: skip


def test_tokens_end(world):
    with world.client("olga") as olga:
        made = olga.post("/api/v1/accounts/rhea/tokens", json={"scopes": ["read"]}).json()
        own = {"Authorization": f"Bearer {made['token']}"}
        assert httpx.get(f"{world.url}/api/v1/account", headers=own).json()["name"] == "rhea"
        too_much = olga.post("/api/v1/accounts/rhea/tokens", json={"scopes": ["operate"]})
        assert too_much.status_code == 422
        gone = olga.delete(f"/api/v1/accounts/rhea/tokens/{made['prefix']}")
        assert gone.status_code == 204
        assert httpx.get(f"{world.url}/api/v1/account", headers=own).status_code == 401
        short = olga.post("/api/v1/accounts/rhea/tokens", json={"days": 1e-5}).json()
        time.sleep(1.0)
        old = {"Authorization": f"Bearer {short['token']}"}
        assert httpx.get(f"{world.url}/api/v1/account", headers=old).status_code == 401


def test_operators_read_dead_letters(world):
    with world.client("olga") as olga:
        page = olga.get("/api/v1/dead-letters").json()
        assert [(one["stage"], one["reason"]) for one in page["items"]] == [("ingest", "truncated")]
        assert page["next_cursor"] is None
        assert olga.get("/api/v1/dead-letters", params={"stage": "mma"}).json()["items"] == []


def test_nights_are_counted(world):
    with world.client() as client:
        nights = client.get("/api/v1/statistics/nights").json()
        counted = [(n["survey"], n["night"], n["alerts"], n["is_packed"]) for n in nights]
        assert counted == [("ztf", 60_999, 12, False), ("ztf", 60_899, 12, True)]
        content = client.get("/api/v1/statistics/nights/60999").json()
        assert (content["sampled"], content["objects"]) == (12, 4)
