"""The channels: literal tuples. To add one, write its file, its settings and its lines.

Settings of peer channels are in ``shared.subscriptions.channel_settings``, where the portal finds
them too.
"""

from __future__ import annotations

from services.distribute.channels.base import Channel, PeerChannel
from services.distribute.channels.hermes import HermesChannel
from services.distribute.channels.kafka import KafkaChannel, Send
from services.distribute.channels.mail import MailChannel
from services.distribute.channels.slack import SlackChannel
from services.distribute.channels.tns import TnsChannel
from services.distribute.channels.webhook import WebhookChannel
from services.distribute.courier.settings import CourierSettings
from shared.registry import registry


def channels(send: Send) -> dict[str, Channel]:
    """The ways out to the mesh's own Kafka, by name; ``send`` is the outbox's."""
    entries: tuple[Channel, ...] = (KafkaChannel(send),)
    return registry(entries)


def peer_channels(settings: CourierSettings) -> dict[str, PeerChannel]:
    """Every peer channel by name; none connects before it is used."""
    entries: tuple[PeerChannel, ...] = (
        WebhookChannel(settings),
        SlackChannel(settings),
        MailChannel(settings),
        TnsChannel(settings),
        HermesChannel(settings),
    )
    return registry(entries)
