"""Sends what the verb decided, once: past the memory of what was delivered, to the channels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from services.distribute.channels.base import Channel
from services.distribute.deliver import Outgoing
from services.distribute.delivered import Delivered
from services.distribute.metrics import DistributeMetrics
from shared.kafka.records import Message


class Dispatch:
    """The way from decided messages to acknowledged ones.

    Parameters
    ----------
    channels
        By name.
    delivered
        The memory of what was delivered.
    metrics
        Where deliveries are counted.
    """

    def __init__(
        self, channels: Mapping[str, Channel], delivered: Delivered, metrics: DistributeMetrics
    ) -> None:
        self._channels = channels
        self._delivered = delivered
        self._metrics = metrics

    async def send(self, outgoing: Outgoing, channel: str = "kafka") -> int:
        """Send what has not been sent; returns how many messages that were.

        When it returns, every message of ``outgoing`` is on its topic exactly once. When it
        raises, the memory is given up: the topics are read again before the next attempt, since
        what was not acknowledged may have arrived.
        """
        fresh = await self._delivered.unsent(outgoing)
        for topic, messages in outgoing.items():
            self._metrics.held_back(topic, len(messages) - len(fresh.get(topic, ())))
        sends = [self._send(channel, topic, messages) for topic, messages in fresh.items()]
        # All are waited for, so that what did arrive is remembered whatever else fails.
        for result in await asyncio.gather(*sends, return_exceptions=True):
            if isinstance(result, BaseException):
                self._delivered.forget()
                raise result
        return sum(map(len, fresh.values()))

    async def _send(self, channel: str, destination: str, messages: Sequence[Message]) -> None:
        await self._channels[channel].send(destination, messages)
        self._delivered.remember(destination, messages)
        self._metrics.delivered(channel, destination, len(messages))

    def forget(self) -> None:
        """Partitions have moved between workers."""
        self._delivered.forget()
