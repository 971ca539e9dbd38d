"""At most once, at the edge: what an out topic holds is the memory of what was delivered.

A message goes to the partition of the record it comes from, so one worker at a time writes a
partition. When a worker first uses one, it reads the last messages there; what a crashed
worker had sent but not committed is among them, and is not sent again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from services.distribute.deliver import DELIVERY_ID, Outgoing
from shared.kafka.records import Message

Place = tuple[str, int]
"""Topic and partition."""
ReadTail = Callable[[Sequence[Place], int], Awaitable[Mapping[Place, Sequence[bytes]]]]
"""Reads the delivery ids of the last so many messages of each place, oldest first."""


class Delivered:
    """A bounded memory of delivery ids per out topic and partition.

    Parameters
    ----------
    window
        Deliveries remembered per place. It must exceed what one crash can repeat: the takes
        of this service and of those before it that were sent and not committed.
    read_tail
        How the memory is refreshed from Kafka.
    """

    def __init__(self, window: int, read_tail: ReadTail) -> None:
        self._window = window
        self._read_tail = read_tail
        self._known: dict[Place, OrderedDict[bytes, None]] = {}
        self._times_forgotten = 0

    async def unsent(self, outgoing: Outgoing) -> Outgoing:
        """Those of ``outgoing`` that their topics do not hold yet, each only once."""
        places = {(t, _partition(m)) for t, messages in outgoing.items() for m in messages}
        while unknown := [place for place in sorted(places) if place not in self._known]:
            await self._recall(unknown)
        return {
            topic: fresh
            for topic, messages in outgoing.items()
            if (fresh := list(self._fresh(topic, messages)))
        }

    def remember(self, topic: str, messages: Iterable[Message]) -> None:
        """``messages`` are on ``topic`` now: Kafka has acknowledged them."""
        for message in messages:
            self._note((topic, _partition(message)), delivery_id(message))

    def forget(self) -> None:
        """Partitions have moved: another worker may have delivered meanwhile."""
        self._known.clear()
        self._times_forgotten += 1

    async def _recall(self, places: Sequence[Place]) -> None:
        times_forgotten = self._times_forgotten
        tails = await self._read_tail(places, self._window)
        if times_forgotten != self._times_forgotten:
            return  # read before the partitions moved: to be read again
        for place in places:
            self._known[place] = OrderedDict.fromkeys(tails.get(place, ()))

    def _fresh(self, topic: str, messages: Iterable[Message]) -> Iterable[Message]:
        seen: set[tuple[int, bytes]] = set()
        for message in messages:
            partition, identity = _partition(message), delivery_id(message)
            known = self._known[(topic, partition)]
            if identity not in known and (partition, identity) not in seen:
                seen.add((partition, identity))
                yield message

    def _note(self, place: Place, identity: bytes) -> None:
        known = self._known.get(place)
        if known is None:
            return  # forgotten while this was sent: a memory of this alone would pass for the whole
        known[identity] = None
        while len(known) > self._window:
            known.popitem(last=False)


def delivery_id(message: Message) -> bytes:
    """The identity a message carries; ``KeyError`` if it carries none."""
    return dict(message.headers)[DELIVERY_ID]


def _partition(message: Message) -> int:
    if message.partition is None:
        raise ValueError("a delivery must name its partition")
    return message.partition
