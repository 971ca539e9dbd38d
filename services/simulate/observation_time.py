"""When a packet was observed, read without decoding it: a walk along its schema to one field."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

import orjson

from shared.errors import RejectedRecordError
from shared.light_curves.photometry import JD_MINUS_MJD
from shared.packets.containers import MAGIC, iter_blocks, read_header, read_varint
from shared.packets.lsst_schemas import official_schema_json

_TIME_FIELDS = {"jd", "midpointMjdTai", "midPointTai"}
"""ZTF's, LSST's and the old LSST's name of the observation's time."""
_FRAME_BYTES = 5
_FIXED_BYTES = {"null": 0, "boolean": 1, "float": 4, "double": 8}


class _FoundError(Exception):
    """Ends the walk: the time is there."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value


def observation_mjd(packet: bytes) -> float | None:
    """MJD of the packet's own observation (the survey's time scale), or None if it is not found.

    The time scale is the survey's own: good enough to put packets in order and to keep gaps.
    """
    try:
        schema, at = _schema_and_start(packet)
        _skip(schema, packet, at, {})
    except _FoundError as found:
        return found.value - JD_MINUS_MJD if found.value > JD_MINUS_MJD else found.value
    except (RejectedRecordError, struct.error, LookupError, ValueError, TypeError, RecursionError):
        return None
    return None


def _schema_and_start(packet: bytes) -> tuple[Any, int]:
    if packet.startswith(MAGIC):
        header = read_header(packet)
        if header.codec != "null":
            raise ValueError("compressed")
        _, start, _ = next(iter_blocks(packet, header))
        return _parsed(header.schema_json), start
    zero, number = struct.unpack(">bI", packet[:_FRAME_BYTES])
    if zero != 0:
        raise ValueError("no packet")
    return _parsed(official_schema_json(*divmod(number, 100))), _FRAME_BYTES


@lru_cache(maxsize=64)
def _parsed(schema_json: bytes) -> Any:
    return orjson.loads(schema_json)


def _skip(schema: Any, packet: bytes, at: int, named: dict[str, Any]) -> int:
    """The place after a value of ``schema`` at ``at``; raises ``_FoundError`` at the time."""
    if isinstance(schema, str):
        if schema in _FIXED_BYTES:
            return at + _FIXED_BYTES[schema]
        if schema in {"int", "long"}:
            return read_varint(packet, at)[1]
        if schema in {"string", "bytes"}:
            length, at = read_varint(packet, at)
            return at + length
        schema = named[schema]
    if isinstance(schema, list):
        branch, at = read_varint(packet, at)
        return _skip(schema[branch], packet, at, named)
    kind = schema["type"]
    if kind == "record":
        named[schema["name"]] = schema
        named[f"{schema.get('namespace', '')}.{schema['name']}"] = schema
        for field in schema["fields"]:
            if field["name"] in _TIME_FIELDS:
                kind, place = _present(field["type"], packet, at)
                if kind == "double":
                    raise _FoundError(struct.unpack_from("<d", packet, place)[0])
            at = _skip(field["type"], packet, at, named)
        return at
    if kind in {"array", "map"}:  # the time comes before any list, in every schema known
        raise LookupError("a list before the time")
    return _skip(kind, packet, at, named)


def _present(schema: Any, packet: bytes, at: int) -> tuple[Any, int]:
    """The schema and place of a value, its union undone."""
    if isinstance(schema, list):
        branch, at = read_varint(packet, at)
        return schema[branch], at
    return schema, at
