"""Live means making progress; ready means started. Judged here, asked over HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """What one process knows of its own progress.

    Lag alone is no illness and idleness is none: a process is not live only while records
    wait for it and none has been carried out for ``timeout_s``.
    """

    timeout_s: float
    is_ready: bool = False
    waits_for: str | None = None
    """Name of what is down, while it is; a restart would not mend that."""
    _stuck_since: dict[str, float] = field(default_factory=dict)
    _done: dict[str, int] = field(default_factory=dict)

    def report(self, source: str, done: int, lag: int) -> None:
        """Note how far ``source`` (a topic and partition) is committed, and how much waits."""
        moved = self._done.get(source) != done
        self._done[source] = done
        if lag <= 0 or moved:
            self._stuck_since.pop(source, None)
        else:
            self._stuck_since.setdefault(source, time.monotonic())

    def forget(self, source: str) -> None:
        """``source`` is no longer ours."""
        self._stuck_since.pop(source, None)
        self._done.pop(source, None)

    def stuck(self) -> list[str]:
        """Sources that have had lag and no progress for longer than ``timeout_s``."""
        if self.waits_for is not None:
            return []
        now = time.monotonic()
        return [s for s, since in self._stuck_since.items() if now - since > self.timeout_s]
