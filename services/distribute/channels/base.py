"""The contract of a channel: one way in which messages leave for the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.kafka.records import Message


class Channel(Protocol):
    """One implementation per file, and one line in the registry."""

    @property
    def name(self) -> str:
        """Registry name: snake_case, never changed once published."""
        ...

    async def send(self, destination: str, messages: Sequence[Message]) -> None:
        """Send ``messages``, in order, and return when the peer has them.

        At least once: repeats are dropped before, by ``services.distribute.delivered``.

        Parameters
        ----------
        destination
            What the channel sends to: for Kafka the topic's full name.
        messages
            What to send.

        Raises
        ------
        UpstreamUnavailableError
            If the peer is away; the same messages come again.
        RejectedRecordError
            If the peer will never take one of them.
        """
        ...
