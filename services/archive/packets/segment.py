"""One segment file and its index: appending, and mending after a kill or a power cut."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from services.archive.packets.blocks import BlockWriter, whole_blocks
from shared.archive.packets.index import (
    ENTRY,
    IndexArray,
    checksum,
    entries_for,
    index_path,
    read_index,
)
from shared.archive.packets.reading import base_offset, bytes_at


class Segment:
    """A segment open for appending; offsets only grow.

    The packet is written before its entry, so an entry never points at nothing: what a kill
    leaves behind is bytes without an entry, or part of an entry, and opening cuts both off.
    """

    def __init__(self, path: Path, index: IndexArray, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.last_offset = int(index["offset"][-1]) if len(index) else base_offset(path) - 1
        self._segment = BlockWriter(path)
        self._index = os.open(index_path(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a segment for appending, cut back to its last packet that is whole and unharmed."""
        index = read_index(path)
        size_bytes = path.stat().st_size if path.exists() else 0
        index = index[: _unharmed(path, index, size_bytes)]
        end = int(index["position"][-1]) + int(index["length"][-1]) if len(index) else 0
        segment = cls(path, index, whole_blocks(end))
        segment._segment.cut(segment.size_bytes)
        os.ftruncate(segment._index, len(index) * ENTRY.itemsize)
        return segment

    def append(self, offsets: Sequence[int], packets: Sequence[bytes]) -> None:
        """Write packets, then their entries; ``offsets`` grow and are above ``last_offset``.

        Raises
        ------
        OSError
            If the disk is full or fails. The segment is as it was before.
        """
        if not packets:
            return
        entries = entries_for(offsets, packets, self.size_bytes)
        index_size = os.fstat(self._index).st_size
        try:
            written = self._segment.append(packets)
            _write_all(self._index, entries.tobytes())
        except OSError:
            os.ftruncate(self._index, index_size)
            self._segment.cut(self.size_bytes)
            raise
        self.size_bytes += written
        self.last_offset = offsets[-1]

    def sync(self) -> None:
        """Return when packets and entries are on the disk, packets first."""
        self._segment.sync()
        os.fdatasync(self._index)

    def close(self) -> None:
        """Close both files."""
        self._segment.close()
        os.close(self._index)


def _unharmed(path: Path, index: IndexArray, size_bytes: int) -> int:
    """How many entries from the first on to keep: back from the last to one that checks."""
    kept = len(index)
    while kept:
        position, length = int(index["position"][kept - 1]), int(index["length"][kept - 1])
        whole = position >= 0 and position + length <= size_bytes
        if whole and checksum(bytes_at(path, position, length)) == index["crc32c"][kept - 1]:
            break
        kept -= 1
    return kept


def _write_all(descriptor: int, content: bytes) -> None:
    """``write`` until everything is written: the kernel may take less than it is offered."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
