"""The contracts of channels: the ways in which messages leave for the world.

``Channel`` is the mesh's own Kafka: fast, and its topics remember what was sent. ``PeerChannel``
is any peer elsewhere: slow, away at times, spoken to by the courier, which keeps a record of
every delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Message
from shared.subscriptions.channel_settings import ChannelSettings


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


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery as a channel sees it."""

    delivery_id: str
    idempotency_key: str
    """A UUID of the delivery, the same at every attempt: what peers recognise a repeat by."""
    source: str
    """Topic without prefix."""
    subject: str
    """Alert, association or target: its identity."""
    object_id: str
    document: Mapping[str, Any]
    """What the topic's message says, as JSON."""
    queued_ms: int
    tries: int = 0
    reference: str = ""
    """What the peer called it at an earlier attempt."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a subscription wants its parcels."""

    subscription_id: str
    settings: ChannelSettings
    secret: SecretStr | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel.

    ``sent``: the peer has it and will say later what came of it. ``failed`` is for ever.
    """

    state: Literal["sent", "confirmed", "failed"]
    reason: str = ""
    reference: str = ""


class PeerAwayError(UpstreamUnavailableError):
    """The peer did not answer, or asked to wait: the parcels are tried again.

    Parameters
    ----------
    message
        What happened; never with a secret in it.
    in_doubt
        Whether the peer may have taken the parcels all the same.
    retry_after_s
        How long the peer asked to be left alone, seconds.
    """

    def __init__(
        self, message: str, *, in_doubt: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt
        self.retry_after_s = retry_after_s


class PeerChannel(Protocol):
    """A peer elsewhere. One implementation per file, a line in the registry, a recorded exchange.

    Nothing is sent twice to a peer that cannot undo it: before parcels go out for the first time
    they are recorded as being sent; whoever finds such a record after a crash asks ``look`` first.
    """

    @property
    def name(self) -> str:
        """Registry name: snake_case, never changed once published."""
        ...

    @property
    def most_at_once(self) -> int:
        """Parcels that one call of ``deliver`` may be given."""
        ...

    @property
    def once_per_object(self) -> bool:
        """Whether an object is delivered once, however many of its alerts come by."""
        ...

    @property
    def doubt_s(self) -> float:
        """Seconds that a peer may take to show what it was sent: ``look`` is of no use before."""
        ...

    def waits_s(self, settings: ChannelSettings) -> float:
        """How long the first parcel waits for company, seconds; 0 for channels without digests."""
        ...

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Hand ``parcels`` over; one outcome for each.

        Raises
        ------
        PeerAwayError
            If they are to be tried again, all of them.
        """
        ...

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """What the peer knows of parcels whose delivery is in doubt, and of those ``sent``.

        None: the peer does not have it (of one in doubt: it is sent again), or has not decided
        (of one that is sent: it is asked again later). A channel whose peer recognises a repeat
        by ``idempotency_key`` answers None for all.

        Raises
        ------
        PeerAwayError
            If the peer cannot say now.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
