"""Copies of a packet that are different alerts of different objects: for load tests.

Only the identifiers' bytes change, each to one of the same length, so that a copy costs a few
microseconds, keeps its size and stays valid Avro.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import fastavro
import fastavro.schema
import orjson

from shared.errors import RejectedRecordError
from shared.packets.containers import MAGIC, read_header, write_varint
from shared.packets.lsst_schemas import official_schema_json

_MIN_VARINT_BYTES = 7
"""Shorter numbers may occur by chance elsewhere; identifiers are far longer."""
_LETTERS = 26
_FRAME_BYTES = 5
_OPENED_PACKETS = 4096
_UNREADABLE = (
    RejectedRecordError, EOFError, ValueError, LookupError, TypeError, OverflowError,
    struct.error, fastavro.schema.SchemaParseException,
)  # fmt: skip
"""What broken bytes make the decoders raise."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where one identifier stands."""

    places: tuple[int, ...]
    length: int
    is_text: bool
    keep: bytes
    """What a name begins with: kept (``ZTF18``)."""


def rekeyed(packet: bytes, serial: int) -> bytes:
    """``packet`` with other identifiers, all else equal.

    Parameters
    ----------
    packet
        One alert: ZTF's or LSST's container (codec null), or LSST's Confluent framing.
    serial
        0 or more. Copies of one packet with different serials differ in alert id and object
        id; so do copies of two packets of the same survey.

    Returns
    -------
    Bytes of the same length. ZTF: candid (both) and objectId; LSST: diaSourceId, diaObjectId
    and ssObjectId wherever they stand. Earlier detections keep their identifiers.

    Raises
    ------
    ValueError
        If the packet is not of that kind, or ``serial`` leaves no room for an identifier.
    """
    if serial < 0:
        raise ValueError(f"serial {serial} is negative")
    patches = [
        (place, slot.length, _name(slot, serial) if slot.is_text else _number(slot.length, serial))
        for slot in _open(packet)
        for place in slot.places
    ]
    original = memoryview(packet)
    parts: list[bytes | memoryview] = []
    done = 0
    for place, length, written in sorted(patches):
        parts += (original[done:place], written)
        done = place + length
    return b"".join((*parts, original[done:]))


def _number(length: int, serial: int) -> bytes:
    """The largest but ``serial``-th number whose zigzag varint has ``length`` bytes."""
    top = (1 << (7 * length - 1)) - 1 if length < 10 else (1 << 63) - 1
    written = write_varint(top - serial)
    if len(written) != length:
        raise ValueError(f"serial {serial} leaves no number of {length} bytes")
    return written


def _name(slot: _Slot, serial: int) -> bytes:
    """The start of the name, and the serial in letters, counted down from ``zzzzzzz``."""
    n_letters = slot.length - len(slot.keep)
    rest, letters = serial, bytearray()
    for _ in range(n_letters):
        rest, letter = divmod(rest, _LETTERS)
        letters.append(ord("z") - letter)
    if rest:
        raise ValueError(f"serial {serial} does not fit {n_letters} letters")
    return slot.keep + bytes(reversed(letters))


@lru_cache(maxsize=_OPENED_PACKETS)
def _open(packet: bytes) -> tuple[_Slot, ...]:
    """Find the identifiers by decoding the packet once."""
    try:
        record, start = _decoded(packet)
    except _UNREADABLE as error:
        raise ValueError(f"not a packet of one alert: {error}") from error
    images = [value for value in record.values() if isinstance(value, bytes) and len(value) > 64]
    # Images come last: looking no further than the first saves time and chance matches.
    end = min((packet.index(image, start) for image in images), default=len(packet))
    if isinstance(record.get("objectId"), str) and isinstance(record.get("candid"), int):
        name = record["objectId"].encode()
        numbers = [record["candid"]]
        slots = [_text_slot(packet, name, start)]
    elif isinstance(source := record.get("diaSource"), dict) and "diaSourceId" in source:
        numbers = [record.get("diaSourceId") or record.get("alertId"), source["diaSourceId"]]
        numbers += [source.get("diaObjectId"), source.get("ssObjectId")]
        slots = []
    else:
        raise ValueError("it has neither objectId and candid nor a diaSource")
    for number in dict.fromkeys(n for n in numbers if n):
        written = write_varint(number)
        if len(written) >= _MIN_VARINT_BYTES:
            slots.append(_Slot(_places(packet, written, start, end), len(written), False, b""))
    if not any(slot.places and not slot.is_text for slot in slots):
        raise ValueError("the packet holds no identifier long enough to be told apart")
    return tuple(slots)


def _text_slot(packet: bytes, name: bytes, start: int) -> _Slot:
    place = packet.index(write_varint(len(name)) + name, start) + len(write_varint(len(name)))
    kept = len(name) - len(name.lstrip(b"ZTF0123456789"))
    return _Slot((place,), len(name), True, name[:kept])


def _places(packet: bytes, written: bytes, start: int, end: int) -> tuple[int, ...]:
    found = []
    place = packet.find(written, start, end)
    while place >= 0:
        found.append(place)
        place = packet.find(written, place + len(written), end)
    return tuple(found)


def _decoded(packet: bytes) -> tuple[dict[str, Any], int]:
    """The record and where it begins."""
    if packet.startswith(MAGIC):
        if read_header(packet).codec != "null":
            raise ValueError("its container is compressed")
        reader = fastavro.reader(io.BytesIO(packet))
        records: list[Any] = list(reader)
        if len(records) != 1:
            raise ValueError(f"it holds {len(records)} records")
        return records[0], read_header(packet).length
    zero, number = struct.unpack(">bI", packet[:_FRAME_BYTES])
    if zero != 0:
        raise ValueError("neither an Avro container nor Confluent framing")
    schema = fastavro.parse_schema(orjson.loads(official_schema_json(*divmod(number, 100))))
    record: Any = fastavro.schemaless_reader(io.BytesIO(packet[_FRAME_BYTES:]), schema, None)
    return record, _FRAME_BYTES
