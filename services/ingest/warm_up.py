"""Compiles everything before the first packet, so that no consumer group waits for a compiler."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import orjson

from services.ingest.framing import SchemaBook
from services.ingest.normalise import Normalised, normalise
from services.ingest.recent import RecentAlerts
from shared.kafka.records import Packet
from shared.packets.containers import write_container

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "ztf.alert",
    "version": "0",
    "fields": [
        {"name": "objectId", "type": "string"},
        {"name": "candid", "type": "long"},
        {
            "name": "candidate",
            "type": {
                "type": "record",
                "name": "ztf.alert.candidate",
                "fields": [
                    {"name": "jd", "type": "double"},
                    {"name": "fid", "type": "int"},
                    {"name": "ra", "type": "double"},
                    {"name": "dec", "type": "double"},
                    {"name": "magpsf", "type": "float"},
                    {"name": "sigmapsf", "type": "float"},
                    {"name": "isdiffpos", "type": "string"},
                ],
            },
        },
        {
            "name": "prv_candidates",
            "type": ["null", {"type": "array", "items": "ztf.alert.candidate"}],
        },
    ],
}
"""The least of a ZTF packet that makes an alert."""


def least_packet(candid: int = 1, **candidate: object) -> bytes:
    """A packet in the least schema, one detection in its history; ``candidate`` overrides."""
    row = {
        "jd": 2460000.5, "fid": 1, "ra": 10.0, "dec": 20.0,
        "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": "t",
    }  # fmt: skip
    record = {
        "objectId": "ZTF00aaaaaaa",
        "candid": candid,
        "candidate": {**row, **candidate},
        "prv_candidates": [{**row, "jd": 2459999.5}],
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), record)
    return write_container(orjson.dumps(SCHEMA), out.getvalue())


def warm_up() -> Normalised:
    """Take a packet through everything; it goes nowhere."""
    recent = RecentAlerts(2)
    packet = Packet("warm-up", 0, 0, 0, None, least_packet())
    result = normalise([packet, packet], SchemaBook(), recent, 0)
    recent.remember(result.batches[0].keys, result.batches[0].origins)
    return result
