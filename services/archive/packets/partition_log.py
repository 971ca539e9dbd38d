"""All segments of one partition of a survey topic: append, roll, read, forget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.archive.packets.segment import Segment
from shared.archive.packets.index import index_path
from shared.archive.packets.reading import last_offset, read_from_folder, segment_paths

Sync = Literal["never", "roll", "batch"]
"""When to wait for the disk: leave it to the kernel, when a segment is full, after every batch."""


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """How segments are cut, kept and synchronised."""

    segment_bytes: int = 256 * 1024 * 1024
    """A segment that has reached this size is closed and another begun."""
    sync: Sync = "roll"
    keep_bytes: int = 0
    """Oldest segments of a partition go when it is larger; 0 keeps all."""
    keep_s: float = 0.0
    """Segments not written to for so long go, seconds; 0 keeps all."""


class PartitionLog:
    """The writer of one partition. One process only may write a partition.

    Packets come in order of offset. Those that are there already (Kafka delivers at least once)
    are passed over; older ones that are not there get a segment of their own.
    """

    def __init__(self, folder: Path, policy: LogPolicy) -> None:
        self._folder = folder
        self._policy = policy
        folder.mkdir(parents=True, exist_ok=True)
        paths = segment_paths(folder)
        self._segment = Segment.open(paths[-1]) if paths else None
        self._newest = max(map(last_offset, paths), default=-1)

    @property
    def next_offset(self) -> int | None:
        """The offset after the last packet written; None if there is none yet."""
        return self._newest + 1 if self._newest >= 0 else None

    def append(self, offsets: Sequence[int], packets: Sequence[bytes]) -> int:
        """Write a batch and return how many packets of it were new.

        Raises
        ------
        TopicRecreatedError
            If an offset is there already with another packet.
        OSError
            If the disk fails.
        """
        new = self._new_rows(offsets, packets)
        if not new:
            return 0
        segment = self._segment_for(offsets[new[0]])
        segment.append([offsets[row] for row in new], [packets[row] for row in new])
        self._newest = max(self._newest, segment.last_offset)
        if self._policy.sync == "batch":
            segment.sync()
        return len(new)

    def close(self) -> None:
        """Close the open segment, on the disk unless the policy is ``never``."""
        if self._segment is not None:
            if self._policy.sync != "never":
                self._segment.sync()
            self._segment.close()
            self._segment = None

    def forget(self, now_s: float | None = None) -> int:
        """Delete segments that the policy no longer keeps; returns how many. Never the open one."""
        paths = segment_paths(self._folder)
        too_old = (now_s if now_s is not None else time.time()) - self._policy.keep_s
        total = sum(path.stat().st_size for path in paths)
        gone = 0
        for path in paths[:-1]:
            if self._segment is not None and path == self._segment.path:
                continue
            over = self._policy.keep_bytes and total > self._policy.keep_bytes
            if not over and not (self._policy.keep_s and path.stat().st_mtime < too_old):
                continue
            total -= path.stat().st_size
            path.unlink()
            index_path(path).unlink(missing_ok=True)
            gone += 1
        return gone

    def _new_rows(self, offsets: Sequence[int], packets: Sequence[bytes]) -> list[int]:
        """Rows whose offset is not there yet, in order, each offset once."""
        new: list[int] = []
        before = -1
        for row, offset in enumerate(offsets):
            stored = read_from_folder(self._folder, offset) if offset <= self._newest else None
            if stored is not None and stored != packets[row]:
                raise TopicRecreatedError(offset)
            if stored is None and offset > before:
                new.append(row)
                before = offset
        return new

    def _segment_for(self, offset: int) -> Segment:
        """The open segment if it can take ``offset``, else a new one that begins with it."""
        segment = self._segment
        if segment is not None:
            if offset > segment.last_offset and segment.size_bytes < self._policy.segment_bytes:
                return segment
            self.close()
        self._segment = Segment.open(self._folder / f"{offset:020d}.segment")
        self.forget()
        return self._segment


class TopicRecreatedError(Exception):
    """An offset bears another packet than before: somebody deleted the topic and made it anew."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"offset {offset} bears another packet than the one kept")
        self.offset = offset
