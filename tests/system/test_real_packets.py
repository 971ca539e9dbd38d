"""The whole mesh on real packets: every one is accounted for, in the right place."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
from collections import Counter
from pathlib import Path

import fastavro
import pytest
from lxml import etree

from services.ingest.check import main as check
from shared.kafka.envelopes import read_envelope
from shared.kafka.topics import Topic
from shared.packets import iter_packets
from shared.schemas.association import Association
from tests.system.mesh import RunningMesh, faults_of, read_all

DATA = Path(os.environ.get("TOCSIN_DATA", "../shared/data")).absolute()
ZTF = [DATA / "ztf" / name for name in (
    "pittgoogle_84.tar.xz", "fink_alert_simulator_20181129_sample130.tar.xz", "ampel", "boom",
    "kowalski", "ztf_avro_alert", "malformed", "other_surveys",
)]  # fmt: skip
LSST = [DATA / "lsst" / name for name in (
    "rubin_20260101_27_v10_0.parquet", "confluent_wire", "alerce_v9_0_ocf.avro", "schemas",
)]  # fmt: skip
NIGHT = DATA / "ztf" / "night_20240115_849_no_cutouts.parquet"
NOTICES = DATA / "notices" / "fink_mm_2024-01-12_15_gcn"
SUPERNOVA = "ZTF21abiuvdk"
AVSC = Path(__file__).parents[2] / "shared" / "schemas" / "avro" / "alert.v1.avsc"

pytestmark = [pytest.mark.kafka, pytest.mark.database, pytest.mark.shelf]


@pytest.fixture(scope="module")
def fed(mesh: RunningMesh) -> RunningMesh:
    """The mesh after all real packets and a night with planted coincidences."""
    missing = [str(path) for path in (*ZTF, *LSST, NIGHT, NOTICES) if not path.exists()]
    if missing:
        pytest.skip(f"no real packets (set TOCSIN_DATA): {missing[0]}")
    mesh.replay(*ZTF, survey="ztf")
    mesh.replay(*LSST, survey="lsst")
    mesh.run("mma", "send", NOTICES)
    mesh.replay(NIGHT, survey="ztf")
    return mesh


def packets_of(paths: list[Path]) -> list[bytes]:
    return [p.payload for p in iter_packets(paths) if p.reason is None]


def test_every_packet_is_accounted_for(fed: RunningMesh) -> None:
    account = fed.audit(wait_s=90)
    assert faults_of(account) == []
    came = Counter({"ztf_alerts": 0, "lsst_alerts": 0})
    for line in account["stages"]:
        if line["stage"] == "ingest":
            came[line["topic"]] += line["came_in"]
            assert line["came_in"] == line["went_out"] + line["dead_letters"]
    assert came["ztf_alerts"] >= len(packets_of([*ZTF, NIGHT]))
    assert came["lsst_alerts"] >= len(packets_of(LSST))
    delivered = {edge["name"]: edge["found"] for edge in account["edges"]}
    assert delivered["tocsin.out.near_galaxy"] > 30
    assert delivered["tocsin.voevents"] > 300


def test_the_mesh_refuses_what_the_offline_check_refuses(fed: RunningMesh, capsys) -> None:
    check([str(path) for path in (*ZTF, *LSST, NIGHT)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = Counter(line["reason"] for line in lines if line["status"] == "rejected")
    times_sent = Counter((x["survey"], x["alert_id"]) for x in lines if x["status"] == "accepted")
    letters = fed.letters()
    assert {letter.stage for letter in letters} == {"ingest"}
    in_words = Counter(f"{x.reason}: {x.detail}" for x in letters if x.reason != "duplicate")
    assert in_words == expected
    duplicates = sum(letter.reason == "duplicate" for letter in letters)
    assert duplicates == sum(times - 1 for times in times_sent.values()) == 10
    kinds = Counter(letter.reason for letter in letters)
    assert (kinds["truncated"], kinds["unknown_survey"], kinds["unknown_framing"]) == (5, 36, 3)


def test_a_supernova_is_kept_whole(fed: RunningMesh) -> None:
    page = json.loads(fed.run("object", SUPERNOVA, "--json"))
    packets = [
        packet
        for payload in packets_of(ZTF[:1])
        if (packet := next(iter(fastavro.reader(io.BytesIO(payload)))))["objectId"] == SUPERNOVA
    ]
    times = [alert["mjd_tai"] for alert in page["alerts"]]
    assert len(times) == len(packets) == 34
    assert times == sorted(times)
    assert {int(a["alert_id"]) for a in page["alerts"]} == {p["candid"] for p in packets}
    assert [match["source_id"] for match in page["matches"]] == ["NGC7814"]
    points = {
        (round(point["jd"], 6), point["fid"], point["magpsf"] is None)
        for packet in packets
        for point in [packet["candidate"], *(packet["prv_candidates"] or [])]
    }
    kinds = Counter(page["light_curve"]["kind"])
    assert kinds["detection"] == sum(not is_limit for *_, is_limit in points) == 34
    assert kinds["upper_limit"] == sum(is_limit for *_, is_limit in points) == 16


def test_alerts_of_an_object_stay_in_order_from_ingest_on(fed: RunningMesh) -> None:
    """The survey sends without keys; from the first envelope on an object has one partition."""
    order: dict[Topic, dict[int, list[str]]] = {}
    for topic in (Topic.ALERTS, Topic.CORRELATED):
        found = order[topic] = {}
        for record in fed.records(topic.named(fed.prefix)):
            batch = read_envelope(record.value)
            pairs = zip(batch.strings("object_id"), batch.strings("alert_id"), strict=True)
            mine = [alert for name, alert in pairs if name == SUPERNOVA]
            if mine:
                found.setdefault(record.partition, []).extend(mine)
    assert len(order[Topic.ALERTS]) == 1
    assert order[Topic.ALERTS] == order[Topic.CORRELATED]


def test_packets_come_back_byte_for_byte(fed: RunningMesh, tmp_path: Path) -> None:
    sent = set(packets_of(ZTF[:1]))
    page = json.loads(fed.run("object", SUPERNOVA, "--json"))
    for alert in page["alerts"][::11]:
        fed.run("packet", alert["alert_id"], "-o", tmp_path / "packet.avro")
        assert (tmp_path / "packet.avro").read_bytes() in sent


def test_an_ordinary_client_reads_a_filters_topic(fed: RunningMesh) -> None:
    """confluent-kafka, fastavro and the published .avsc; nothing of ours."""
    schema = fastavro.parse_schema(json.loads(AVSC.read_text()))
    values = read_all(fed.settings.kafka_bootstrap_servers, "tocsin.out.near_galaxy")
    alerts = []
    for value in values:
        assert value[0] == 0  # Confluent framing: zero, four bytes of schema id, Avro
        alerts.append(fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None))
    mine = [a for a in alerts if a["object_id"] == SUPERNOVA]
    assert len(mine) == 34
    assert {m["source_id"] for a in mine for m in a["matches"]} == {"NGC7814"}


def test_a_planted_coincidence_becomes_a_valid_voevent(fed: RunningMesh) -> None:
    associations = [
        Association.from_json(r.value) for r in fed.records(Topic.ASSOCIATIONS.named(fed.prefix))
    ]
    # SOURCE.txt of the night: eight alerts were moved here, into a burst of Fermi GBM.
    planted = [
        a for a in associations
        if (round(a.ra_deg, 4), round(a.dec_deg, 4)) == (191.8481, -35.5295)
        and a.event_id == "Fermi_GBM_726746786"
    ]  # fmt: skip
    assert planted
    events = [etree.fromstring(r.value) for r in fed.records(Topic.VOEVENTS.named(fed.prefix))]
    mine = [e for e in events if f"/ztf/{planted[0].alert_id}/" in e.attrib["ivorn"]]
    assert mine
    schema = voevent_schema()
    for event in events:
        schema.assertValid(event)


def voevent_schema() -> etree.XMLSchema:
    try:
        files = importlib.metadata.files("Comet") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("VOEvent-v2.0.xsd: pip install --no-deps -r packages-without-dependencies.txt")
    (xsd,) = (each for each in files if each.name == "VOEvent-v2.0.xsd")
    return etree.XMLSchema(etree.parse(str(xsd.locate())))
