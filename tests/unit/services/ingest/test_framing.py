"""Framing: containers and Confluent messages, and everything that may be wrong with them."""

import contextlib
import sys
import zlib

import cramjam
import orjson
import pytest

from services.ingest.framing import SchemaBook, writer_of
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.packets.containers import read_header, write_container, write_varint

OTHER = orjson.dumps({"type": "record", "name": "winter.alert", "fields": []})


def reason_of(book, payload):
    with pytest.raises(RejectedRecordError) as caught:
        book.frame(payload)
    return caught.value.reason


@pytest.fixture
def packet(samples):
    return samples["ztf"]()


def blocks(packet, *counted):
    """The packet's header with other blocks: (count, bytes)."""
    header = read_header(packet)
    body = b"".join(
        write_varint(count) + write_varint(len(data)) + data + header.sync_marker
        for count, data in counted
    )
    return packet[: header.length] + body


def recoded(packet, codec, record):
    """The packet's container with another codec."""
    header = read_header(packet)
    plain = write_container(header.schema_json, record, header.sync_marker)
    return plain.replace(write_varint(4) + b"null", write_varint(len(codec)) + codec, 1)


def record_of(packet, book):
    framed = book.frame(packet)
    return framed.payload[framed.start : framed.end]


def test_schemas_are_compiled_once(packet, book):
    first, second = book.frame(packet), book.frame(packet)
    assert first.writer is second.writer
    assert first.writer.version == "4.02"


def test_header_with_another_sync_marker_is_the_same_schema(packet, book):
    other = write_container(read_header(packet).schema_json, record_of(packet, book), b"x" * 16)
    assert book.frame(packet).writer is book.frame(other).writer


def test_two_orders_of_metadata_are_both_remembered(packet, book):
    header = read_header(packet)
    pairs = [(b"avro.schema", header.schema_json), (b"avro.codec", b"null")]
    turned = b"Obj\x01" + write_varint(-2) + write_varint(99)  # a block with its size
    for key, value in pairs:
        turned += write_varint(len(key)) + key + write_varint(len(value)) + value
    turned += b"\x00" + packet[header.length - 16 :]
    for _ in range(3):
        assert book.frame(packet).writer.survey.name == "ztf"
        assert book.frame(turned).writer.survey.name == "ztf"
    assert book.frame(turned).writer is book.frame(turned).writer


def test_empty_blocks_are_legal(packet, book):
    record = record_of(packet, book)
    assert record_of(blocks(packet, (1, record), (0, b"")), book) == record
    assert record_of(blocks(packet, (0, b""), (1, record)), book) == record


@pytest.mark.parametrize(("codec", "pack"), [
    (b"deflate", lambda r: zlib.compress(r)[2:-4]),
    (b"snappy", lambda r: bytes(cramjam.snappy.compress_raw(r)) + zlib.crc32(r).to_bytes(4, "big")),
])  # fmt: skip
def test_codecs(packet, book, codec, pack):
    record = record_of(packet, book)
    assert record_of(recoded(packet, codec, pack(record)), book) == record
    assert reason_of(book, recoded(packet, codec, b"\x00nonsense")) == "bad_compression"


def test_what_is_refused(packet, book):
    record = record_of(packet, book)
    header = read_header(packet)
    assert reason_of(book, b"") == "empty"
    assert reason_of(book, b"{}") == "unknown_framing"
    assert reason_of(book, b"\x00\x00\x00") == "truncated"
    assert reason_of(book, blocks(packet)) == "no_record"
    assert reason_of(book, blocks(packet, (0, b""))) == "no_record"
    assert reason_of(book, blocks(packet, (2, record))) == "many_records"
    assert reason_of(book, blocks(packet, (1, record), (1, record))) == "many_records"
    assert reason_of(book, packet[:-1] + b"!") == "bad_sync_marker"
    assert reason_of(book, packet + b"\x02") == "truncated"
    assert reason_of(book, packet + b"rest") == "bad_avro"
    assert reason_of(book, packet[: header.length] + b"\x02\x01" + b"x" * 40) == "bad_avro"
    assert reason_of(book, recoded(packet, b"lzma", record)) == "unknown_codec"
    assert reason_of(book, b"Obj\x01\x00" + b"m" * 16) == "no_schema"
    assert reason_of(book, write_container(OTHER, b"")) == "unknown_survey"
    assert reason_of(book, write_container(b"no json", b"")) == "bad_schema"
    assert reason_of(book, write_container(b"[1, 2]", b"")) == "unknown_survey"


def test_schema_without_what_an_alert_needs_is_refused():
    with pytest.raises(RejectedRecordError, match=r"candidate\.jd"):
        writer_of(orjson.dumps({"type": "record", "name": "ztf.alert", "fields": []}))


def test_confluent_schemas_are_asked_for_once(samples):
    asked = []

    def registry(schema_id):
        asked.append(schema_id)
        raise RejectedRecordError("unknown_schema", "nobody knows it")

    book = SchemaBook(registry)
    for _ in range(5):
        assert reason_of(book, samples["lsst"]()) == "unknown_schema"
    assert asked == [1000]


def test_registry_that_is_down_is_asked_again(samples):
    def registry(_):
        raise UpstreamUnavailableError("down")

    book = SchemaBook(registry)
    for _ in range(2):
        with pytest.raises(UpstreamUnavailableError):
            book.frame(samples["lsst"]())


def test_hostile_headers_do_not_fill_memory(book):
    for number in range(200):
        schema = orjson.dumps({"type": "record", "name": f"n{number}", "fields": []})
        assert reason_of(book, write_container(schema, b"")) == "unknown_survey"
    assert len(book._by_header) <= 64


@pytest.mark.parametrize("number", [None, 77])
def test_a_refused_schema_does_not_keep_its_packet(number):
    """Nor the take around it: what is remembered of a schema is a reason, and no frames."""
    schema = orjson.dumps({"type": "record", "name": "someone.else", "fields": []})
    payload = write_container(schema, b"x" * 1000)
    if number is not None:
        payload = b"\x00" + number.to_bytes(4, "big") + b"x" * 1000
    book, before = SchemaBook(), sys.getrefcount(payload)
    with contextlib.suppress(RejectedRecordError):
        book.frame(payload)
    assert sys.getrefcount(payload) == before
    assert reason_of(book, payload) in {"unknown_survey", "unknown_schema"}
