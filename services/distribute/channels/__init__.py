"""The channels: a literal tuple. To add one, write its file and its line here."""

from __future__ import annotations

from services.distribute.channels.base import Channel
from services.distribute.channels.kafka import KafkaChannel, Send
from shared.registry import registry


def channels(send: Send) -> dict[str, Channel]:
    """Every channel by name; ``send`` is the way out to Kafka."""
    entries: tuple[Channel, ...] = (KafkaChannel(send),)
    return registry(entries)
