"""Re-keyed copies: other identifiers, nothing else."""

import io

import fastavro
import orjson
import pytest

from services.simulate.rekey import rekeyed
from shared.packets.lsst_schemas import official_schema_json


def ztf_record(payload):
    return next(fastavro.reader(io.BytesIO(payload)))


def test_ztf_copies_differ_in_identifiers_only(ztf_packets):
    for packet in ztf_packets[:25]:
        old = ztf_record(packet.payload)
        copies = [rekeyed(packet.payload, serial) for serial in (0, 1, 40_000, 2_000_000)]
        new = [ztf_record(copy) for copy in copies]
        assert len({r["candid"] for r in new} | {old["candid"]}) == 5
        assert len({r["objectId"] for r in new} | {old["objectId"]}) == 5
        for copy, record in zip(copies, new, strict=True):
            assert len(copy) == len(packet.payload)
            assert record["objectId"][:5] == old["objectId"][:5]
            assert record["candidate"]["candid"] == record["candid"]
            record["candid"] = record["candidate"]["candid"] = old["candid"]
            record["objectId"] = old["objectId"]
            assert record == old


def test_lsst_copies_differ_in_identifiers_only(lsst_packets):
    schema = fastavro.parse_schema(orjson.loads(official_schema_json(10, 0)))

    def decoded(payload):
        return fastavro.schemaless_reader(io.BytesIO(payload[5:]), schema, None)

    for packet in lsst_packets[:40]:
        old, new = decoded(packet.payload), decoded(rekeyed(packet.payload, 12))
        assert new["diaSourceId"] == new["diaSource"]["diaSourceId"] != old["diaSourceId"]
        body = old["ssSource"] is not None
        name = "ssObjectId" if body else "diaObjectId"
        place = "ssSource" if body else "diaObject"
        assert new["diaSource"][name] == new[place][name] != old["diaSource"][name]
        for forced in new["prvDiaForcedSources"] or ():
            assert forced["diaObjectId"] == new["diaObject"]["diaObjectId"]
        ids = {"diaSourceId", "diaObjectId", "ssObjectId"}

        def rest(value, ids=ids):
            if isinstance(value, dict):
                return {k: rest(v) for k, v in value.items() if k not in ids}
            return [rest(v) for v in value] if isinstance(value, list) else value

        assert rest(new) == rest(old)


def test_serials_of_different_packets_do_not_meet(ztf_packets):
    copies = [ztf_record(rekeyed(p.payload, i)) for i, p in enumerate(ztf_packets[:50])]
    assert len({r["candid"] for r in copies}) == 50
    assert len({r["objectId"] for r in copies}) == 50


@pytest.mark.parametrize("broken", [b"", b"Obj\x01", b"\x00\x00\x00\x03\xe8", b"{}", b"\x00" * 40])
def test_what_is_no_packet_is_refused(broken):
    with pytest.raises(ValueError, match="not a packet of one alert"):
        rekeyed(broken, 1)


def test_serials_have_limits(ztf_packets):
    with pytest.raises(ValueError, match="negative"):
        rekeyed(ztf_packets[0].payload, -1)
    with pytest.raises(ValueError, match="does not fit"):
        rekeyed(ztf_packets[0].payload, 26**7)
