"""Where alerts go from one stage to the next: onto a topic, or straight to a stage beside it.

Several stages may share a process (``services.river``). The later of two then joins the hop
between them: alerts are handed on in memory, the topic stays empty, and what Kafka's
acknowledgement was for the first is now the return of the second. The alerts are the same; a
take goes through all stages before its packets are committed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.alert_batch import AlertBatch

Joined = Callable[[AlertBatch], Awaitable[None]]
"""Carries alerts on; returns when Kafka has acknowledged everything they have led to."""


class Hops:
    """The hops of one process that are taken in memory, by the topic they stand for."""

    def __init__(self) -> None:
        self._joined: dict[str, Joined] = {}

    def join(self, topic: str, carry: Joined) -> None:
        """Have alerts meant for ``topic`` (full name) handed to ``carry``.

        Raises
        ------
        ValueError
            If another stage reads that topic in this process already.
        """
        if topic in self._joined:
            raise ValueError(f"two stages in one process read {topic}")
        self._joined[topic] = carry

    def to(self, topic: str) -> Joined | None:
        """Who takes alerts meant for ``topic`` (full name) here; None: send them to Kafka."""
        return self._joined.get(topic)
