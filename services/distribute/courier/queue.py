"""The courier's queue and memory: the ``deliveries`` collection."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from services.distribute.channels.base import Outcome
from shared.store import Collection, Store
from shared.subscriptions.subscription import WAITING, Delivery

_SETTLED = frozenset({"confirmed", "failed"})


def now_ms() -> int:
    """Unix milliseconds."""
    return int(time.time() * 1000)


class DeliveryQueue:
    """The deliveries of one subscription.

    A delivery's identity is its message's place in Kafka, so a message that is read again after a
    crash finds its record there.
    """

    def __init__(self, store: Store, subscription_id: str) -> None:
        self._store = store
        self._subscription_id = subscription_id

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """Write down what is to be delivered; returns how many were new."""
        known = await self._store.insert(
            Collection.DELIVERIES, [each.to_document() for each in deliveries]
        )
        return len(deliveries) - len(known)

    async def length(self) -> int:
        """How many are not settled."""
        query = {"subscription_id": self._subscription_id, "state": {"$in": [*WAITING]}}
        return await self._store.count(Collection.DELIVERIES, query)

    async def due(
        self, state: str, partitions: Sequence[int], at_ms: int, limit: int
    ) -> list[Delivery]:
        """Those in ``state`` whose time has come, in the order they were written down."""
        found = await self._store.find(
            Collection.DELIVERIES,
            {
                "subscription_id": self._subscription_id,
                "state": state,
                "next_try_ms": {"$lte": at_ms},
                "partition": {"$in": [*partitions]},
            },
            limit=limit,
            sort=(("next_try_ms", 1), ("queued_ms", 1), ("_id", 1)),
        )
        return [Delivery.from_document(document) for document in found]

    async def oldest_ms(self) -> int | None:
        """When the oldest delivery that is not settled was written down."""
        query = {"subscription_id": self._subscription_id, "state": {"$in": [*WAITING]}}
        found = await self._store.find(
            Collection.DELIVERIES, query, fields=("queued_ms",), limit=1, sort=(("queued_ms", 1),)
        )
        return int(found[0]["queued_ms"]) if found else None

    async def sending(self, deliveries: Sequence[Delivery], doubt_ms: int) -> None:
        """Say before the peer is spoken to that they are being sent.

        ``doubt_ms`` later anyone who still finds them so may look after them.
        """
        at_ms = now_ms()
        change = {
            "state": "sending", "sending_ms": at_ms, "next_try_ms": at_ms + doubt_ms, "reason": "",
        }  # fmt: skip
        await self._change(deliveries, {"$set": change, "$inc": {"tries": 1}})

    async def put_back(
        self, deliveries: Sequence[Delivery], reason: str, wait_s: float, state: str = "queued"
    ) -> None:
        """They were not sent (or, in state ``sending``, perhaps were): for later."""
        change = {
            "state": state, "reason": reason[:500], "next_try_ms": now_ms() + int(1000 * wait_s),
        }  # fmt: skip
        await self._change(deliveries, {"$set": change})

    async def settle(self, pairs: Sequence[tuple[Delivery, Outcome]], ask_again_s: float) -> None:
        """Write down what became of them; the payload of what is settled is let go."""
        at_ms = now_ms()
        updates: dict[str, dict[str, Any]] = {}
        for delivery, outcome in pairs:
            change: dict[str, Any] = {"state": outcome.state, "reason": outcome.reason[:500]}
            if outcome.reference:
                change["reference"] = outcome.reference[:200]
            if outcome.state in _SETTLED:
                change |= {"settled_ms": at_ms, "payload": None}
            else:
                change["next_try_ms"] = at_ms + int(1000 * ask_again_s)
            updates[delivery.delivery_id] = {"$set": change}
        await self._store.update(Collection.DELIVERIES, updates)

    async def forget_settled(self, before_ms: int) -> int:
        """Delete the records of what was settled before; returns how many."""
        query = {
            "subscription_id": self._subscription_id,
            "settled_ms": {"$lt": before_ms, "$ne": None},
        }
        return await self._store.remove(Collection.DELIVERIES, query)

    async def _change(
        self, deliveries: Sequence[Delivery], update: Mapping[str, Mapping[str, Any]]
    ) -> None:
        await self._store.update(
            Collection.DELIVERIES, {each.delivery_id: dict(update) for each in deliveries}
        )
