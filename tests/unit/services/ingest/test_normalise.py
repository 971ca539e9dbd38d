"""The verb: every packet comes out exactly once."""

import sys
import zlib

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.normalise import normalise
from services.ingest.recent import RecentAlerts
from shared.kafka.records import Packet
from shared.packets.containers import iter_blocks, read_header, write_varint


def test_surveys_are_parted_and_order_is_kept(samples, book, packets_of):
    ztf, lsst = samples["ztf"], samples["lsst"]
    packets = packets_of(
        ztf(dec=1.0), lsst(), b"nonsense", ztf(dec=2.0), lsst(dec=2.0), ztf(dec=3.0)
    )
    result = normalise(packets, book, None, 9)
    by_survey = {one.batch.survey: one for one in result.batches}
    assert by_survey["ztf"].batch.dec_deg.tolist() == [1.0, 2.0, 3.0]
    assert by_survey["ztf"].packets.tolist() == [0, 3, 5]
    assert by_survey["ztf"].batch.integers("origin_offset").tolist() == [0, 3, 5]
    assert by_survey["lsst"].packets.tolist() == [1, 4]
    assert [one.packet for one in result.refused] == [2]


def test_schemas_of_one_survey_are_merged_in_order(samples, book, packets_of):
    ztf = samples["ztf"]
    newest = orjson.loads(read_header(ztf()).schema_json)
    fields = [field for field in newest["fields"] if field["name"] != "fp_hists"]
    older = newest | {"version": "3.3", "fields": fields}
    packets = packets_of(
        ztf(dec=1.0), ztf(dec=2.0, schema=older, top={"schemavsn": "3.3"}), ztf(dec=3.0)
    )
    (one,) = normalise(packets, book, None, 9).batches
    assert one.batch.dec_deg.tolist() == [1.0, 2.0, 3.0]
    assert one.batch.strings("schema_version") == ["4.02", "3.3", "4.02"]


def at(payload, offset, topic="ztf_alerts"):
    return Packet(topic, 0, offset, 0, None, payload)


def test_duplicates_and_redeliveries(samples, book):
    ztf = samples["ztf"]
    recent = RecentAlerts(1000)
    first = normalise([at(ztf(), 10)], book, recent, 0)
    assert len(first.batches) == 1
    # Not acknowledged yet: the same packet again is still new.
    assert len(normalise([at(ztf(), 10)], book, recent, 0).batches) == 1
    recent.remember(first.batches[0].keys, first.batches[0].origins)
    again = normalise([at(ztf(), 10)], book, recent, 0)
    assert (again.batches, again.refused, again.sent_before) == ([], [], 1)
    for twin in (at(ztf(), 11), at(ztf(), 10, topic="ztf_other")):
        result = normalise([twin], book, recent, 0)
        assert not result.batches
        assert [(one.reason, one.alert_id) for one in result.refused] == [
            ("duplicate", "2475433850015010009")
        ]


def test_duplicates_within_one_take(samples, book):
    ztf = samples["ztf"]
    packets = [at(ztf(), 1), at(ztf(top={"candid": 5}), 2), at(ztf(), 3), at(ztf(), 1)]
    result = normalise(packets, book, RecentAlerts(1000), 0)
    assert result.batches[0].packets.tolist() == [0, 1]
    assert [one.packet for one in result.refused] == [2]
    assert result.sent_before == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_mutated_packets_are_accepted_or_refused(samples, book, data):
    name = data.draw(st.sampled_from(sorted(samples)))
    whole = samples[name]()
    mutated = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    result = normalise([at(whole, 0), at(bytes(mutated), 1)], book, None, 0)
    rows = sum(len(one.batch) for one in result.batches)
    assert rows + len(result.refused) == 2
    for one in result.batches:
        one.batch.record_batch.validate(full=True)
        assert np.isfinite(one.batch.ra_deg).all()


@pytest.mark.long
@pytest.mark.shelf
def test_whole_shelf(shelf, packets_of):
    """Accepted and refused of every folder: a change here is a change of what users see."""
    from collections import Counter

    from services.ingest.framing import SchemaBook
    from shared.packets.files import iter_packets

    expected = {
        "ztf/ampel": (137, {}),
        "ztf/boom": (12, {}),
        "ztf/kowalski": (36, {}),
        "ztf/fink_alert_simulator_20181129_sample130.tar.xz": (130, {}),
        "ztf/pittgoogle_84.tar.xz": (84, {}),
        "ztf/ztf_avro_alert": (22, {"unknown_framing": 3, "unsupported_schema": 6}),
        "ztf/malformed": (0, {"truncated": 5, "unknown_survey": 2}),
        "ztf/other_surveys": (0, {"unknown_survey": 34}),
        "lsst/confluent_wire": (6, {}),
        "lsst/alerce_v9_0_ocf.avro": (1, {}),
        "lsst/ampel": (0, {"unknown_survey": 3}),
        "lsst/rubin_20260101_27_v10_0.parquet": (27, {}),
    }
    book = SchemaBook()
    for folder, (accepted, refused) in expected.items():
        payloads = [file.payload for file in iter_packets([shelf / folder])]
        result = normalise(packets_of(*payloads), book, None, 0)
        assert sum(len(one.batch) for one in result.batches) == accepted, folder
        assert Counter(one.reason for one in result.refused) == refused, folder


@pytest.mark.shelf
def test_supernova_in_order(shelf, packets_of):
    """SN 2021rhu: 34 alerts over 65 days, each light curve in order and holding its detection."""
    from services.ingest.framing import SchemaBook
    from shared.packets.files import iter_packets

    payloads = [file.payload for file in iter_packets([shelf / "ztf/pittgoogle_84.tar.xz"])]
    (one,) = normalise(packets_of(*payloads), SchemaBook(), None, 0).batches
    is_it = np.array([name == "ZTF21abiuvdk" for name in one.batch.strings("object_id")])
    assert is_it.sum() == 34
    curves = one.batch.rows(is_it).light_curves
    for k, now in enumerate(one.batch.rows(is_it).floats("mjd_tai")):
        times = curves.mjd_tai[curves.offsets[k] : curves.offsets[k + 1]]
        assert (np.diff(times) >= 0).all()
        assert now in times


def test_unpacked_records_do_not_pile_up(samples, book, packets_of, monkeypatch):
    """A take of deflate bombs is 60 KB each on the wire and 64 MB each in memory."""
    monkeypatch.setattr("services.ingest.normalise.MAX_UNPACKED_BYTES", 1000)
    plain = samples["ztf"]()
    header = read_header(plain)
    ((_, start, end),) = iter_blocks(plain, header)
    record = zlib.compress(plain[start:end])[2:-4]
    packed = (
        plain[: header.length].replace(write_varint(4) + b"null", write_varint(7) + b"deflate", 1)
        + write_varint(1)
        + write_varint(len(record))
        + record
        + header.sync_marker
    )
    result = normalise(packets_of(packed, plain, packed, packed, b"x"), book, None, 9)
    (one,) = result.batches
    assert one.packets.tolist() == [0, 1, 2, 3]
    assert [refused.packet for refused in result.refused] == [4]


def test_takes_with_too_many_members_are_halved(samples, book, packets_of, monkeypatch):
    monkeypatch.setattr(sys.modules["services.ingest.avro.decode"], "MAX_ROWS_AT_ONCE", 100)
    point = {"jd": 2460200.5, "fid": 1, "diffmaglim": 20.5, "isdiffpos": None, "magpsf": None,
             "sigmapsf": None}  # fmt: skip
    many = samples["ztf"](prv=[point | {"jd": 2460000.5 + k} for k in range(700)])
    result = normalise(packets_of(many, samples["ztf"](), many, b"x", many), book, None, 9)
    (one,) = result.batches
    assert one.packets.tolist() == [0, 1, 2, 4]
    assert one.batch.light_curves.lengths.tolist() == [701, 1, 701, 701]


@pytest.mark.parametrize("kind", ["double", "string", "boolean"])
def test_an_identifier_of_another_type_is_none(kind, samples, book, packets_of):
    """Not alert 0: the next such packet would then be its duplicate."""
    ztf_packet = samples["ztf"]
    schema = orjson.loads(read_header(ztf_packet()).schema_json)
    schema["fields"][3]["type"] = kind
    value = {"double": 1.5, "string": "x", "boolean": True}[kind]
    result = normalise(packets_of(ztf_packet(schema=schema, top={"candid": value})), book, None, 9)
    assert [one.reason for one in result.refused] == ["no_identifier"]


def test_source_number_0_is_none(refused, samples):
    assert refused(samples["lsst"](diaSourceId=0)).reason == "no_identifier"
