"""Cutouts and packets: what is decoded, and what is refused with a reason."""

import gzip
import io
import os
from pathlib import Path

import fastavro
import numpy as np
import orjson
import pytest
from astropy.io import fits

from services.archive.figure.stamps import stretch_limits
from services.archive.packets import LogPolicy, PacketStore
from shared.archive.cutouts import Cutout, decode_packet, read_cutouts
from shared.archive.provenance import PacketMissingError, names_alert, packet_of
from shared.errors import RejectedRecordError
from shared.kafka.records import Packet
from shared.packets import iter_packets
from shared.packets.containers import write_container, write_varint

SHELF = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
STAMP = {
    "type": "record",
    "name": "stamp",
    "fields": [{"name": "fileName", "type": "string"}, {"name": "stampData", "type": "bytes"}],
}
SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "ztf",
    "fields": [
        {"name": "candid", "type": "long"},
        {"name": "cutoutScience", "type": ["null", STAMP]},
        {"name": "cutoutTemplate", "type": ["null", "ztf.stamp"]},
        {"name": "cutoutDifference", "type": ["null", "ztf.stamp"]},
    ],
}


def stamp_bytes(pixels, **cards):
    unit = fits.PrimaryHDU(np.asarray(pixels, dtype=np.float32))
    unit.header.update(cards)
    out = io.BytesIO()
    unit.writeto(out)
    return out.getvalue()


def packet_with(science, candid=77):
    record = {"candid": candid, "cutoutTemplate": None, "cutoutDifference": None}
    stamp = {"fileName": "x", "stampData": science}
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, [{**record, "cutoutScience": stamp}])
    return out.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_a_stamp_comes_back_pixel_by_pixel_and_absent_ones_are_left_out(pack):
    pixels = np.arange(12.0).reshape(3, 4)
    pixels[1, 1] = np.nan
    (cutout,) = read_cutouts(packet_with(pack(stamp_bytes(pixels))), "ztf")
    np.testing.assert_array_equal(cutout.pixels, pixels)
    assert (cutout.name, cutout.scale_arcsec) == ("science", 1.012)


def test_a_stamp_with_coordinates_says_its_own_scale():
    turned = {"PC1_1": 0.0, "PC1_2": 0.2 / 3600, "PC2_1": 0.2 / 3600, "PC2_2": 0.0}
    (cutout,) = read_cutouts(packet_with(stamp_bytes(np.ones((2, 2)), **turned)), "lsst")
    assert cutout.scale_arcsec == pytest.approx(0.2)


@pytest.mark.parametrize(
    "science",
    [b"no FITS", gzip.compress(b"no FITS", mtime=0), b"\x1f\x8bbroken",
     stamp_bytes(np.ones((2, 2, 2)))],
)  # fmt: skip
def test_a_bad_stamp_is_refused(science):
    with pytest.raises(RejectedRecordError, match="bad_cutout"):
        read_cutouts(packet_with(science), "ztf")


def test_a_stamp_that_unpacks_without_end_is_refused():
    with pytest.raises(RejectedRecordError, match="unpacked"):
        read_cutouts(packet_with(gzip.compress(bytes(40 << 20))), "ztf")


@pytest.mark.parametrize("packet", [b"", b"Obj\x01", b"\0\0\0\0\x01", b"\0\0\0", b"{}"])
def test_a_bad_packet_is_refused(packet):
    with pytest.raises(RejectedRecordError):
        decode_packet(packet)


def test_the_packet_of_an_alert_is_that_alerts_and_no_other(tmp_path):
    mine, other = packet_with(b"x"), packet_with(b"y", candid=78)
    origin = {"origin_topic": "t", "origin_partition": 0, "origin_offset": 5, "alert_id": "77"}
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append([Packet("t", 0, 5, 0, None, mine), Packet("t", 0, 6, 0, None, other)])
        store.append([Packet("t", 0, 5, 0, None, other)])  # the topic was made anew
    assert packet_of(tmp_path, origin) == mine
    assert packet_of(tmp_path, {**origin, "alert_id": "78"}) == other
    with pytest.raises(PacketMissingError, match="not of alert"):
        packet_of(tmp_path, {**origin, "alert_id": "79"})
    with pytest.raises(PacketMissingError, match="no packet"):
        packet_of(tmp_path, {**origin, "origin_offset": 9})


def test_an_identifier_is_found_at_the_top_or_one_level_below():
    record = {"alertId": 1, "diaSource": {"diaSourceId": 22, "ra": 3.0}, "list": [44]}
    assert names_alert(record, "1")
    assert names_alert(record, "22")
    assert not names_alert(record, "3")
    assert not names_alert(record, "44")


def test_the_stretch_shows_a_faint_source_beside_a_bright_one():
    rng = np.random.default_rng(1)
    pixels = rng.normal(100.0, 2.0, (63, 63))
    pixels[30:33, 30:33] += 1000.0
    low, high = stretch_limits(Cutout("science", pixels, 1.0))
    assert 94 < low < 98
    assert high <= 1110
    low, high = stretch_limits(Cutout("difference", pixels - 100.0, 1.0))
    assert low == pytest.approx(-high, abs=1.0)


@pytest.mark.parametrize("pixels", [np.full((3, 3), np.nan), np.zeros((3, 3)), np.ones((1, 1))])
def test_an_empty_stamp_is_drawn_all_the_same(pixels):
    low, high = stretch_limits(Cutout("difference", pixels, None))
    assert low < high


@pytest.mark.shelf
@pytest.mark.parametrize(
    ("path", "survey", "shape"),
    [
        ("ztf/pittgoogle_84.tar.xz", "ztf", (63, 63)),
        ("lsst/rubin_20260101_27_v10_0.parquet", "lsst", None),
        ("lsst/confluent_wire/alerce_v7_4_message_0.bin", "lsst", (30, 30)),
    ],
)
def test_real_packets_have_three_stamps(path, survey, shape):
    if not (SHELF / path).exists():
        pytest.skip(f"no {path} below TOCSIN_DATA ({SHELF})")
    packet = next(iter(iter_packets([SHELF / path]))).payload
    cutouts = read_cutouts(packet, survey)
    assert [c.name for c in cutouts] == ["science", "template", "difference"]
    assert all(c.pixels.shape == shape for c in cutouts if shape)
    assert all(0.1 < c.scale_arcsec < 1.1 for c in cutouts)


@pytest.mark.parametrize(
    ("type_", "record"),
    [
        ({"type": "array", "items": "null"}, write_varint(1 << 40) + b"\0"),
        (
            {"type": "record", "name": "r", "fields": [{"name": "n", "type": ["null", "r"]}]},
            b"\x02" * 300_000 + b"\0",
        ),
    ],
    ids=["counts without bytes", "depth"],
)
def test_packets_that_fastavro_does_not_survive_are_refused(type_, record):
    schema = {"type": "record", "name": "alert", "fields": [{"name": "x", "type": type_}]}
    with pytest.raises(RejectedRecordError):
        decode_packet(write_container(orjson.dumps(schema), record))
