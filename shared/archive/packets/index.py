"""The index of a segment: one 24-byte entry per packet, in order of offset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import google_crc32c
import numpy as np
import numpy.typing as npt

ENTRY = np.dtype([("offset", "<i8"), ("position", "<i8"), ("length", "<u4"), ("crc32c", "<u4")])
"""Kafka offset; byte at which the packet begins in the segment; its length; its CRC-32C."""

IndexArray = npt.NDArray[np.void]


def index_path(segment: Path) -> Path:
    """The index that belongs to a segment file."""
    return segment.with_suffix(".index")


def read_index(segment: Path) -> IndexArray:
    """All whole entries of a segment's index, dtype ``ENTRY``, shape (n,); torn bytes are left out.

    A segment without an index has no packets: the index is what says a packet is there.
    """
    try:
        raw = index_path(segment).read_bytes()
    except FileNotFoundError:
        raw = b""
    return np.frombuffer(raw, dtype=ENTRY, count=len(raw) // ENTRY.itemsize)


def entries_for(offsets: Sequence[int], packets: Sequence[bytes], position: int) -> IndexArray:
    """Entries for packets that will be written end to end from ``position`` (bytes) on."""
    entries = np.empty(len(packets), dtype=ENTRY)
    lengths = [len(packet) for packet in packets]
    entries["offset"] = offsets
    entries["length"] = lengths
    entries["position"] = position + np.cumsum([0, *lengths[:-1]])
    entries["crc32c"] = [checksum(packet) for packet in packets]
    return entries


def checksum(packet: bytes) -> int:
    """CRC-32C (Castagnoli; the processor's own, a tenth of zlib's CRC-32 in time) of a packet."""
    return int(google_crc32c.value(packet))


def position_of(index: IndexArray, offset: int) -> int | None:
    """Row of ``offset`` in the index by binary search; None if it is not there."""
    row = int(np.searchsorted(index["offset"], offset))
    return row if row < len(index) and int(index["offset"][row]) == offset else None
