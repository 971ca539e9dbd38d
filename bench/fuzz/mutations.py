"""One change after another to a record whose places are known, its framing and its schema."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

import cramjam
import orjson

from bench.fuzz.places import BOOLEAN, BRANCH, COUNT, DOUBLE, FLOAT, LENGTH, NUMBER, Place
from bench.fuzz.seeds import Seed
from shared.packets.containers import MAGIC, write_varint

T = TypeVar("T")
_SMALL = [write_varint(n) for n in (0, 1, -1, 2, 3, 5, 64, -64, 1000)]
_LARGE = [
    write_varint(n)
    for n in (10**5, 2**16, 2**31, 2**31 - 1, -(2**31), 2**32, 2**40, 2**62, 2**63 - 1, -(2**63))
]
_BROKEN = [b"", b"\x80", b"\xff" * 9 + b"\x01", b"\xff" * 10, b"\xff" * 11, b"\x80\x00",
           b"\x82\x80\x80\x00", b"\xff" * 9 + b"\x7f"]  # fmt: skip
_NUMBERS = _SMALL + _LARGE + _BROKEN
_FLOATS = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e-45, 3.4e38, -1.0, 90.0, -90.0,
           360.0, -999.0, 2460000.5]  # fmt: skip
_REALS = {
    FLOAT: [struct.pack("<f", x) for x in _FLOATS],
    DOUBLE: [struct.pack("<d", x) for x in (*_FLOATS, 1e308, -1e308, 5e-324)],
    BOOLEAN: [b"\x00", b"\x01", b"\x02", b"\x7f", b"\xff", b""],
}
_TEXTS = [b"", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"g", b"t", b"nan", b"\xf0\x9f\x94\xad",
          b"A" * 300, b"A" * 70_000, b"'; DROP", b"\xe2\x80\xae"]  # fmt: skip
_TYPES: list[Any] = [
    "null", "int", "long", "float", "double", "boolean", "string", "bytes", "ztf.alert", "nobody's",
    [], ["null"], ["null", "string"], ["double", "null"], ["null", "int", "string"],
    {"type": "array", "items": "null"}, {"type": "array", "items": "int"},
    {"type": "map", "values": "null"}, {"type": "map", "values": "double"},
    {"type": "array", "items": {"type": "array", "items": "long"}},
    {"type": "fixed", "name": "f", "size": 2**30}, {"type": "fixed", "name": "f", "size": -1},
    {"type": "enum", "name": "e", "symbols": ["a", "b"]},
    {"type": "record", "name": "r", "fields": []},
    {"type": "record", "name": "r", "fields": [{"name": "r", "type": ["null", "r"]}]},
    {"type": {"type": {"type": "long"}}}, 7, None,
]  # fmt: skip
_SCHEMA_SHARE, _FRAMING_SHARE, _CODEC_SHARE, _BOMB_SHARE = 0.004, 0.10, 0.02, 0.00002


@functools.cache
def _bomb() -> bytes:
    """80 MiB of nothing, deflated: made when it is first thrown, for it takes half a second."""
    return zlib.compress(bytes(80 << 20), 9)[2:-4]


def mutated(seed: Seed, others: Sequence[Seed], rng: Random) -> bytes:
    """One hostile packet made from ``seed``."""
    record = seed.record
    drawn = rng.random()
    for _ in range(1 + int(rng.expovariate(1.0))):
        record = _RECORD_CHANGES[int(rng.random() * len(_RECORD_CHANGES))](
            record, seed, others, rng
        )
    if not seed.is_container:
        return _confluent(seed, record, rng) if drawn < _FRAMING_SHARE else seed.head + record
    if drawn < _BOMB_SHARE:
        return _packed(seed, b"deflate", _bomb())
    if drawn < _SCHEMA_SHARE:
        return _of_bent_schema(seed, record, rng)
    if drawn < _CODEC_SHARE:
        return _compressed(seed, record, rng)
    sound = seed.head + b"\x02" + write_varint(len(record)) + record + seed.sync
    return _badly_framed(seed, sound, record, rng) if drawn < _FRAMING_SHARE else sound


# Changes of the record. Places are those of the seed: after one change the next may strike beside.


def _at_place(record: bytes, seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    """Another value where one stands."""
    place = _any(seed.places, rng)
    return record[: place.start] + _instead(place, record, rng) + record[place.end :]


def _at_structure(record: bytes, seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    """Another length, count or branch: what all that follows hangs on."""
    for _attempt in range(20):
        place = _any(seed.places, rng)
        if place.kind in {LENGTH, COUNT, BRANCH}:
            break
    return record[: place.start] + _instead(place, record, rng) + record[place.end :]


def _instead(place: Place, record: bytes, rng: Random) -> bytes:
    choices = _REALS.get(place.kind)
    if choices is not None:
        return _any(choices, rng) if rng.random() < 0.8 else rng.randbytes(place.end - place.start)
    if place.kind in {NUMBER, LENGTH, COUNT, BRANCH}:
        chance = rng.random()
        if chance < 0.2:  # one more or less
            first = record[place.start] if place.start < len(record) else 0
            return bytes([(first + (2 if chance < 0.1 else 254)) & 0xFF])
        if chance < 0.3:  # the rest of the record, and one byte more
            return write_varint(len(record) - place.end + int(3 * rng.random()) - 1)
        return _any(_NUMBERS, rng)
    return _any(_TEXTS, rng)


def _text_with_length(record: bytes, seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    """Another text whose length is right."""
    index = int(rng.random() * (len(seed.places) - 1))
    for length, text in zip(seed.places[index:], seed.places[index + 1 :], strict=False):
        if length.kind == LENGTH and length.end == text.start:
            new = _any(_TEXTS, rng)
            return record[: length.start] + write_varint(len(new)) + new + record[text.end :]
    return record


def _cut_off(record: bytes, seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    return record[: _any(seed.places, rng).end]


def _span_moved(record: bytes, seed: Seed, others: Sequence[Seed], rng: Random) -> bytes:
    """A span left out, doubled, or put in from another packet."""
    first, second = sorted((_any(seed.places, rng).start, _any(seed.places, rng).start))
    chance = rng.random()
    if chance < 0.35:
        return record[:first] + record[second:]
    if chance < 0.6 and second - first < 2000:
        return record[:second] + record[first:second] + record[second:]
    other = _any(others, rng)
    begin = _any(other.places, rng).start
    return record[:first] + other.record[begin : begin + 400] + record[first + 400 * (begin & 1) :]


def _bytes_flipped(record: bytes, _seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    if not record:
        return b"\x00"
    changed = bytearray(record)
    for _change in range(1 + int(4 * rng.random())):
        changed[int(rng.random() * len(changed))] ^= 1 << int(8 * rng.random())
    return bytes(changed)


def _blocks_split(record: bytes, seed: Seed, _: Sequence[Seed], rng: Random) -> bytes:
    """A count as Avro also allows it: negative, with the block's size behind it, right or wrong."""
    index = int(rng.random() * len(seed.places))
    place = next((p for p in seed.places[index:] if p.kind == COUNT), None)
    if place is None or place.end - place.start != 1 or place.start >= len(record):
        return record
    size = _any([0, 1, 100, len(record), 2**40, -5], rng)
    count = -(record[place.start] >> 1)
    return record[: place.start] + write_varint(count) + write_varint(size) + record[place.end :]


Change = Callable[[bytes, Seed, Sequence[Seed], Random], bytes]
_RECORD_CHANGES: tuple[Change, ...] = (
    _at_place, _at_place, _at_place, _at_structure, _at_structure, _text_with_length,
    _cut_off, _span_moved, _bytes_flipped, _blocks_split,
)  # fmt: skip


# Changes of the framing and the schema.


def _badly_framed(seed: Seed, sound: bytes, record: bytes, rng: Random) -> bytes:
    kind = int(7 * rng.random())
    if kind == 0:
        return sound[: int(rng.random() * len(sound))]
    if kind == 1:
        return sound + rng.randbytes(1 + int(40 * rng.random()))
    if kind == 2:
        return seed.head + _any(_NUMBERS, rng) + write_varint(len(record)) + record + seed.sync
    if kind == 3:
        return seed.head + b"\x02" + _any(_NUMBERS, rng) + record + seed.sync
    if kind == 4:
        return sound[:-16] + rng.randbytes(16)
    if kind == 5:
        return sound + sound[len(seed.head) :]
    return b"" if rng.random() < 0.1 else _bytes_flipped(sound[:200], seed, (), rng) + sound[200:]


def _confluent(seed: Seed, record: bytes, rng: Random) -> bytes:
    kind = int(4 * rng.random())
    if kind == 0:  # another version's number
        number = _any((700, 701, 702, 703, 704, 800, 900, 1000, 1001, 1100, 1101), rng)
        return b"\x00" + number.to_bytes(4, "big") + record
    if kind == 1:
        return rng.randbytes(5) + record
    if kind == 2:
        return (seed.head + record)[: int(12 * rng.random())]
    return seed.head[:1] + rng.randbytes(4) + record


def _compressed(seed: Seed, record: bytes, rng: Random) -> bytes:
    """Of another codec, sound or spoilt."""
    name = _any((b"deflate", b"snappy", b"zstandard", b"\xff"), rng)
    packed = zlib.compress(record)[2:-4]
    if name == b"snappy":
        packed = bytes(cramjam.snappy.compress_raw(record)) + zlib.crc32(record).to_bytes(4, "big")
    if rng.random() < 0.5:
        packed = _bytes_flipped(packed, seed, (), rng)
    return _packed(seed, name, packed)


def _packed(seed: Seed, codec: bytes, packed: bytes) -> bytes:
    head = _head(codec, orjson.dumps(seed.schema), seed.sync)
    return head + b"\x02" + write_varint(len(packed)) + packed + seed.sync


def _of_bent_schema(seed: Seed, record: bytes, rng: Random) -> bytes:
    """A field of the schema of another type, gone, or there twice."""
    schema = orjson.loads(orjson.dumps(seed.schema))
    for _ in range(1 + int(2 * rng.random())):
        fields = _some_fields(schema, rng)
        if not fields:
            break
        index, kind = int(rng.random() * len(fields)), rng.random()
        if kind < 0.7:
            fields[index] = {**fields[index], "type": _any(_TYPES, rng)}
        elif kind < 0.85:
            del fields[index]
        else:
            fields.append(fields[index])
    text = orjson.dumps(schema)
    if rng.random() < 0.2:
        text = _bytes_flipped(text, seed, (), rng)
    head = _head(b"null", text, seed.sync)
    return head + b"\x02" + write_varint(len(record)) + record + seed.sync


def _some_fields(schema: Any, rng: Random) -> list[Any]:
    """Fields of the top record, or of one below it."""
    below = [part for part in _records(schema) if part.get("fields")]
    return _any(below, rng)["fields"] if below else []


def _records(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _records(part)]
    if not isinstance(schema, dict):
        return []
    mine = [schema] if isinstance(schema.get("fields"), list) else []
    inside = [f.get("type") for f in schema["fields"]] if mine else []
    return mine + _records([*inside, schema.get("type"), schema.get("items")])


def _head(codec: bytes, schema: bytes, sync: bytes) -> bytes:
    head = MAGIC + write_varint(2)
    for key, value in ((b"avro.codec", codec), (b"avro.schema", schema)):
        head += write_varint(len(key)) + key + write_varint(len(value)) + value
    return head + b"\x00" + sync


def _any(choices: Sequence[T], rng: Random) -> T:
    return choices[int(rng.random() * len(choices))]
