"""All partitions of all survey topics under one folder: one writer, any number of readers."""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from services.archive.packets.partition_log import (
    LogPolicy,
    PartitionLog,
    TopicRecreatedError,
)
from shared.archive.packets.reading import partition_folder
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Packet

_log = structlog.get_logger(__name__)


class PacketStore:
    """The writer. It holds a lock on its folder: a second writer would tear the segments."""

    def __init__(self, root: Path, policy: LogPolicy) -> None:
        self._root = root
        self._policy = policy
        self._logs: dict[tuple[str, int], PartitionLog] = {}
        root.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(root / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise UpstreamUnavailableError(
                f"another archive writes {root}; stop it, or give this one its own TOCSIN_STATE_DIR"
            ) from error

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def append(self, packets: Sequence[Packet]) -> int:
        """Keep packets; those that are kept already are passed over. Returns how many were new.

        Raises
        ------
        UpstreamUnavailableError
            If the disk is full or fails.
        """
        new = 0
        by_partition = sorted(packets, key=lambda p: (p.topic, p.partition, p.offset))
        for (topic, partition), group in itertools.groupby(
            by_partition, key=lambda p: (p.topic, p.partition)
        ):
            members = list(group)
            offsets = [packet.offset for packet in members]
            values = [packet.value for packet in members]
            try:
                new += self._append(topic, partition, offsets, values)
            except OSError as error:
                raise UpstreamUnavailableError(
                    f"cannot keep packets in {self._root}: {error}"
                ) from error
        return new

    def next_offset(self, topic: str, partition: int) -> int | None:
        """The offset after the last packet kept, from which to resume; None if none is kept."""
        return self._log(topic, partition).next_offset

    def close(self) -> None:
        """Close all files and give the folder free."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        os.close(self._lock)

    def _append(
        self, topic: str, partition: int, offsets: Sequence[int], values: Sequence[bytes]
    ) -> int:
        try:
            return self._log(topic, partition).append(offsets, values)
        except TopicRecreatedError as error:
            # A topic that was deleted and made anew counts from 0 again. Its old packets stay
            # readable beside it; overwriting or ignoring either would lose packets silently.
            self._logs.pop((topic, partition)).close()
            folder = partition_folder(self._root, topic, partition)
            aside = folder.with_name(f"{folder.name}.before-{time.time_ns() // 1_000_000}")
            folder.rename(aside)
            _log.warning("topic_recreated", topic=topic, reason=str(error), set_aside=str(aside))
            return self._log(topic, partition).append(offsets, values)

    def _log(self, topic: str, partition: int) -> PartitionLog:
        key = (topic, partition)
        if key not in self._logs:
            folder = partition_folder(self._root, topic, partition)
            self._logs[key] = PartitionLog(folder, self._policy)
        return self._logs[key]
