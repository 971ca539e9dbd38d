"""What holds for every registered channel, shown on a recorded exchange of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from services.distribute.channels import channels
from services.distribute.channels.base import Channel
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Message

MESSAGES = [Message(b"first", b"ZTF1", 1, (("k", b"v"),)), Message(b"second", b"ZTF2")]


class Peer:
    """Keeps what it is sent, in order; or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.taken: list[tuple[str, Message]] = []

    async def kafka(self, topic: str, messages: Sequence[Message]) -> None:
        if self.away:
            raise UpstreamUnavailableError("Kafka is away")
        self.taken += [(topic, message) for message in messages]


Exchange = Callable[[Peer], tuple[Channel, str]]
EXCHANGES: dict[str, Exchange] = {
    "kafka": lambda peer: (channels(peer.kafka)["kafka"], "tocsin.out.bright"),
}
"""For each channel: one that talks to ``peer``, and a destination."""
NAMES = list(channels(Peer().kafka))


@pytest.mark.parametrize("name", NAMES)
def test_every_channel_has_an_exchange(name: str) -> None:
    assert name in EXCHANGES, f"add an exchange for the channel {name}"


@pytest.mark.parametrize("name", NAMES)
async def test_the_peer_has_everything_in_order_when_send_returns(name: str) -> None:
    peer = Peer()
    channel, destination = EXCHANGES[name](peer)
    sending: Awaitable[None] = channel.send(destination, MESSAGES)
    await sending
    assert channel.name == name
    assert peer.taken == [(destination, message) for message in MESSAGES]


@pytest.mark.parametrize("name", NAMES)
async def test_a_peer_that_is_away_is_said_to_be_away(name: str) -> None:
    channel, destination = EXCHANGES[name](Peer(away=True))
    with pytest.raises(UpstreamUnavailableError):
        await channel.send(destination, MESSAGES)
