"""Packets to begin from: real ones, or simulated where there are none, made slim."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import orjson

from bench.fuzz.places import MOST_VALUES, Place, places_of
from bench.workload import simulated
from shared.packets.containers import MAGIC, iter_blocks, read_header
from shared.packets.lsst_schemas import official_schema_json

FRAME_BYTES = 5
_MOST_ITEMS = 8
_LARGEST_BYTES = 16
_WHOLE = 3


@dataclass(frozen=True)
class Seed:
    """A packet taken apart."""

    head: bytes
    """A container's header with its sync marker, or the five bytes before a Confluent record."""
    record: bytes
    places: tuple[Place, ...]
    schema: Any

    @property
    def is_container(self) -> bool:
        """Whether its framing is a container's."""
        return self.head.startswith(MAGIC)

    @property
    def sync(self) -> bytes:
        """The container's sync marker."""
        return self.head[-16:]


def seeds() -> tuple[list[Seed], str]:
    """Packets of every schema there is, slim but for a few whole ones; and where they are from."""
    packets, source = _packets()
    found: list[Seed] = []
    for packet in packets:
        whole = taken_apart(packet)
        alike = sum(seed.head == whole.head for seed in found)
        found += [_slim(whole), whole] if alike < _WHOLE else [_slim(whole)]
    return found, f"{len(packets)} {source}"


def taken_apart(packet: bytes, most_values: int = MOST_VALUES) -> Seed:
    """One sound packet (codec null) as a seed."""
    if packet.startswith(MAGIC):
        header = read_header(packet)
        _, start, end = next(iter_blocks(packet, header))
        head, record = packet[: header.length], packet[start:end]
        schema = orjson.loads(header.schema_json)
    else:
        head, record = packet[:FRAME_BYTES], packet[FRAME_BYTES:]
        number = int.from_bytes(head[1:], "big")
        schema = orjson.loads(official_schema_json(*divmod(number, 100)))
    return Seed(head, record, tuple(places_of(schema, record, most_values)), schema)


def _packets() -> tuple[list[bytes], str]:
    data = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    packed = data / "ztf" / "pittgoogle_84.tar.xz"
    if not packed.exists():
        packets = simulated("ztf", 40) + simulated("lsst", 40)
        return packets, "simulated packets (no TOCSIN_DATA)"
    packets = []
    with tarfile.open(packed) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".avro") else None
            if file is not None:
                packets.append(file.read())
    packets += [path.read_bytes() for path in sorted((data / "ztf/kowalski").rglob("*.avro"))]
    packets += [path.read_bytes() for path in sorted((data / "lsst").rglob("*.bin"))]
    return packets, "real packets"


def _slim(seed: Seed) -> Seed:
    """The same with short images and histories: what is skipped need not be copied each time."""
    parsed = fastavro.parse_schema(seed.schema)
    record = fastavro.schemaless_reader(io.BytesIO(seed.record), parsed, None)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed, _short(record))
    slim = out.getvalue()
    return Seed(seed.head, slim, tuple(places_of(seed.schema, slim)), seed.schema)


def _short(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:_LARGEST_BYTES]
    if isinstance(value, dict):
        return {key: _short(part) for key, part in value.items()}
    return [_short(part) for part in value[:_MOST_ITEMS]] if isinstance(value, list) else value
