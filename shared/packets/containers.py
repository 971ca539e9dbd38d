"""Avro object containers (OCF): the framing of ZTF's packets, read without decoding them.

Layout (Avro 1.11 specification, "Object Container Files"): magic, a metadata map with the
writer's schema, a 16-byte sync marker, then blocks of ``count, size, records, sync marker``.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cramjam
import orjson

from shared.errors import RejectedRecordError

MAGIC = b"Obj\x01"
MAX_HEADER_BYTES = 1 << 20
"""ZTF's header is 25 KB; a larger one than this is hostile or broken."""
MAX_RECORD_BYTES = 64 << 20
"""Largest record that is unpacked; LSST's packets with cutouts reach a few megabytes."""
_SYNC_BYTES = 16


@dataclass(frozen=True, slots=True)
class ContainerHeader:
    """What stands before the first block of a container."""

    schema_json: bytes
    codec: str
    sync_marker: bytes
    length: int
    """Bytes of the header, sync marker included: where the first block starts."""


def read_varint(buffer: bytes, position: int) -> tuple[int, int]:
    """The zigzag number at ``position`` and the position after it.

    Raises
    ------
    RejectedRecordError
        ``truncated`` if the bytes end, ``bad_avro`` if it is longer than 10 bytes.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(buffer):
            raise RejectedRecordError("truncated", f"bytes end in a number at {position}")
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position
    raise RejectedRecordError("bad_avro", f"a number of more than 10 bytes ends at {position}")


def write_varint(value: int) -> bytes:
    """The zigzag encoding of ``value``, 64 bits at most."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _read_bytes(buffer: bytes, position: int) -> tuple[bytes, int]:
    length, position = read_varint(buffer, position)
    if length < 0:
        raise RejectedRecordError("bad_avro", f"a negative length {length} in the header")
    if position + length > len(buffer):
        raise RejectedRecordError("truncated", f"the header wants {length} bytes at {position}")
    return buffer[position : position + length], position + length


def read_header(payload: bytes) -> ContainerHeader:
    """Read a container's header.

    Raises
    ------
    RejectedRecordError
        ``not_avro`` without the magic, ``truncated``, ``bad_avro`` or ``no_schema``.
    """
    if not payload.startswith(MAGIC):
        raise RejectedRecordError("not_avro", "no Avro container: the bytes Obj\\x01 are missing")
    head = payload[:MAX_HEADER_BYTES]
    position = len(MAGIC)
    metadata: dict[bytes, bytes] = {}
    while True:
        count, position = read_varint(head, position)
        if count == 0:
            break
        if count < 0:  # a negative count is followed by the block's size
            count = -count
            _, position = read_varint(head, position)
        if count > len(head):
            raise RejectedRecordError("bad_avro", f"a header with {count} entries")
        for _ in range(count):
            key, position = _read_bytes(head, position)
            metadata[key], position = _read_bytes(head, position)
    marker = head[position : position + _SYNC_BYTES]
    if len(marker) < _SYNC_BYTES:
        raise RejectedRecordError("truncated", "the bytes end in the header's sync marker")
    if b"avro.schema" not in metadata:
        raise RejectedRecordError("no_schema", "the container's header holds no avro.schema")
    codec = metadata.get(b"avro.codec", b"null").decode("ascii", "replace")
    return ContainerHeader(metadata[b"avro.schema"], codec, marker, position + _SYNC_BYTES)


def schema_name(schema_json: bytes) -> str:
    """Full name (namespace included) of a schema's top record; empty if it is not readable."""
    try:
        schema = orjson.loads(schema_json)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(schema, dict):
        return ""
    name, namespace = schema.get("name"), schema.get("namespace")
    if not isinstance(name, str):
        return ""
    if "." in name or not isinstance(namespace, str) or not namespace:
        return name
    return f"{namespace}.{name}"


def iter_blocks(payload: bytes, header: ContainerHeader) -> Iterator[tuple[int, int, int]]:
    """Record count, start and end of the (still packed) records of each block.

    Raises
    ------
    RejectedRecordError
        ``truncated``, ``bad_avro`` or ``bad_sync_marker``.
    """
    position = header.length
    while position < len(payload):
        count, position = read_varint(payload, position)
        size, position = read_varint(payload, position)
        if count < 0 or size < 0:
            raise RejectedRecordError("bad_avro", f"a block of {count} records, {size} bytes")
        end = position + size
        if end + _SYNC_BYTES > len(payload):
            missing = end + _SYNC_BYTES - len(payload)
            raise RejectedRecordError(
                "truncated", f"of a block of {size} bytes {missing} are missing"
            )
        if payload[end : end + _SYNC_BYTES] != header.sync_marker:
            raise RejectedRecordError("bad_sync_marker", f"wrong sync marker at byte {end}")
        yield count, position, end
        position = end + _SYNC_BYTES


def unpack(block: bytes, codec: str) -> bytes:
    """The records of a block, decompressed, at most ``MAX_RECORD_BYTES``.

    Raises
    ------
    RejectedRecordError
        ``unknown_codec`` or ``bad_compression``.
    """
    if codec == "null":
        return block
    if codec == "deflate":
        inflater = zlib.decompressobj(-15)
        try:
            records = inflater.decompress(block, MAX_RECORD_BYTES)
        except zlib.error as error:
            raise RejectedRecordError("bad_compression", f"deflate: {error}") from error
        if inflater.unconsumed_tail or not inflater.eof:
            raise RejectedRecordError("bad_compression", "deflate: too large or cut off")
        return records
    if codec == "snappy":
        try:  # the last four bytes are a CRC-32 of what was packed
            size = cramjam.snappy.decompress_raw_len(block[:-4])
            if size > MAX_RECORD_BYTES:
                raise RejectedRecordError("bad_compression", f"snappy: {size} bytes")
            records = bytes(cramjam.snappy.decompress_raw(block[:-4]))
        except cramjam.DecompressionError as error:
            raise RejectedRecordError("bad_compression", f"snappy: {error}") from error
        if zlib.crc32(records).to_bytes(4, "big") != block[-4:]:
            raise RejectedRecordError("bad_compression", "snappy: the checksum is wrong")
        return records
    raise RejectedRecordError("unknown_codec", f"codec {codec!r}; null, deflate, snappy are read")


def write_container(schema_json: bytes, record: bytes, sync_marker: bytes | None = None) -> bytes:
    """A container of one record, codec null, as ZTF sends it.

    Parameters
    ----------
    schema_json
        The writer's schema.
    record
        The record, already encoded.
    sync_marker
        16 bytes; a fixed pattern of the schema when None, so that headers repeat and are cached.
    """
    marker = sync_marker or zlib.crc32(schema_json).to_bytes(4, "big") * 4
    out = io.BytesIO()
    out.write(MAGIC + write_varint(2))
    for key, value in ((b"avro.codec", b"null"), (b"avro.schema", schema_json)):
        out.write(write_varint(len(key)) + key + write_varint(len(value)) + value)
    out.write(b"\x00" + marker)
    out.write(write_varint(1) + write_varint(len(record)) + record + marker)
    return out.getvalue()
