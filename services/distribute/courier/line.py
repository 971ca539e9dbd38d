"""One subscription being carried out: from its queue to its peer, with a record of every step."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Sequence

import orjson
import structlog

from services.distribute.channels.base import (
    Destination,
    Outcome,
    Parcel,
    PeerAwayError,
    PeerChannel,
)
from services.distribute.courier.documents import Documents
from services.distribute.courier.intake import Assigned, Intake
from services.distribute.courier.metrics import CourierMetrics
from services.distribute.courier.pacing import Allowance, Pauses
from services.distribute.courier.queue import DeliveryQueue, now_ms
from services.distribute.courier.settings import CourierSettings
from shared.errors import UpstreamUnavailableError
from shared.subscriptions.subscription import Delivery, Subscription

log = structlog.get_logger()
_IDLE_S = 1.0
_QUIET_S = 15.0
"""While nothing waits: what comes wakes us."""
_ASK_AGAIN_S = 10.0
"""Between questions about what a peer has taken and not decided."""
_NAMESPACE = uuid.UUID("8f1d7f0e-6f0b-4c1e-9a52-4b6d2f0c7a11")


def parcel_of(delivery: Delivery) -> Parcel:
    """The delivery as a channel sees it."""
    return Parcel(
        delivery_id=delivery.delivery_id,
        idempotency_key=str(uuid.uuid5(_NAMESPACE, delivery.delivery_id)),
        source=delivery.source,
        subject=delivery.subject,
        object_id=delivery.object_id,
        document=orjson.loads(delivery.payload or b"{}"),
        queued_ms=delivery.queued_ms,
        tries=delivery.tries,
        reference=delivery.reference,
    )


class Line:
    """Takes in and delivers for one subscription until it is cancelled."""

    def __init__(
        self,
        settings: CourierSettings,
        subscription: Subscription,
        channel: PeerChannel,
        destination: Destination,
        queue: DeliveryQueue,
        documents: Documents,
        metrics: CourierMetrics,
    ) -> None:
        self._settings = settings
        self._subscription = subscription
        self._channel = channel
        self._to = destination
        self._queue = queue
        self._metrics = metrics
        self._assigned = Assigned()
        self._came = asyncio.Event()
        self._allowance = Allowance(subscription.rate_per_minute)
        self._pauses = Pauses(settings.courier_first_retry_s, settings.courier_last_retry_s)
        self._doubt_ms = int(1000 * max(settings.courier_doubt_s, channel.doubt_s))
        self.intake = Intake(
            settings, subscription, queue, documents, self._assigned,
            once_per_object=channel.once_per_object,
        )  # fmt: skip

    async def run(self) -> None:
        """Until cancelled; what is under way then is looked after at the next start."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.intake.run(self._came))
            tasks.create_task(self._deliver_for_ever())

    async def _deliver_for_ever(self) -> None:
        while True:
            await self._assigned.has_partitions.wait()
            self._came.clear()
            idle_s = _IDLE_S
            try:
                worked = await self.step()
                if not await self._measure():
                    idle_s = _QUIET_S
            except PeerAwayError as error:
                worked = False
                self._metrics.away(self._subscription.channel)
                await asyncio.sleep(self._pauses.next_s(error.retry_after_s))
            except UpstreamUnavailableError as error:  # the database
                worked = False
                log.warning("courier_retry", error=str(error))
                await asyncio.sleep(self._pauses.next_s())
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(idle_s):
                        await self._came.wait()

    async def step(self) -> bool:
        """One round: what is in doubt, what is undecided, what waits; whether anything was done.

        Raises
        ------
        PeerAwayError
            The records say so already.
        """
        done = await self._look_after("sending", in_doubt=True)
        done |= await self._look_after("sent", in_doubt=False)
        return await self._send_waiting() or done

    async def _look_after(self, state: str, *, in_doubt: bool) -> bool:
        most = self._channel.most_at_once
        found = await self._queue.due(state, self._mine(), now_ms(), most)
        if not found:
            return False
        try:
            answers = await self._channel.look(self._to, [parcel_of(each) for each in found])
        except PeerAwayError as error:
            await self._postpone(found, error, state=state)
            raise
        known = [(d, a) for d, a in zip(found, answers, strict=True) if a is not None]
        await self._settle(known)
        unknown = [d for d, a in zip(found, answers, strict=True) if a is None]
        if unknown and in_doubt:
            await self._queue.put_back(unknown, "the peer does not have it", 0.0)
            self._metrics.came(self._subscription.channel, "retried", len(unknown))
        elif unknown:
            expired = [d for d in unknown if self._is_too_old(d)]
            too_late = Outcome("failed", "the peer never said what became of it")
            await self._settle([(d, too_late) for d in expired])
            rest = [d for d in unknown if not self._is_too_old(d)]
            await self._queue.put_back(rest, "the peer has not decided", _ASK_AGAIN_S, state)
        return bool(known) or in_doubt

    async def _send_waiting(self) -> bool:
        limit = min(self._channel.most_at_once, self._allowance.left())
        if limit < 1:
            await asyncio.sleep(min(self._allowance.wait_s(), 5.0))
            return True
        found = await self._queue.due("queued", self._mine(), now_ms(), limit)
        if not found:
            return False
        oldest_ms = min(each.queued_ms for each in found)
        waits_s = self._channel.waits_s(self._to.settings)
        if len(found) < limit and now_ms() - oldest_ms < 1000 * waits_s:
            return False
        await self._queue.sending(found, self._doubt_ms)
        self._allowance.spend(len(found))
        try:
            parcels = [parcel_of(each) for each in found]
            outcomes = await self._channel.deliver(self._to, parcels)
        except PeerAwayError as error:
            await self._postpone(found, error, state="sending" if error.in_doubt else "queued")
            raise
        self._pauses.reset()
        await self._settle(list(zip(found, outcomes, strict=True)))
        return True

    async def _postpone(self, found: Sequence[Delivery], error: PeerAwayError, state: str) -> None:
        """Note that the peer was away; what has waited too long has failed, unless in doubt."""
        given_up = [d for d in found if state == "queued" and self._is_too_old(d)]
        await self._settle([(d, Outcome("failed", f"given up: {error}")) for d in given_up])
        rest = [d for d in found if d not in given_up]
        wait_s = error.retry_after_s or 0.0
        if state == "sending":
            wait_s = max(wait_s, self._channel.doubt_s)
        await self._queue.put_back(rest, str(error), wait_s, state)
        self._metrics.came(self._subscription.channel, "retried", len(rest))
        log.warning(
            "courier_peer_away",
            subscription=self._subscription.subscription_id,
            channel=self._subscription.channel,
            error=str(error),
            in_doubt=error.in_doubt,
        )

    async def _settle(self, pairs: Sequence[tuple[Delivery, Outcome]]) -> None:
        if not pairs:
            return
        await self._queue.settle(pairs, _ASK_AGAIN_S)
        for _, outcome in pairs:
            self._metrics.came(self._subscription.channel, outcome.state, 1)

    def _is_too_old(self, delivery: Delivery) -> bool:
        longest_ms = 3_600_000 * self._settings.courier_give_up_hours
        return now_ms() - delivery.queued_ms > longest_ms

    def _mine(self) -> list[int]:
        return sorted(self._assigned.partitions)

    async def _measure(self) -> bool:
        """Note length and age of the queue; whether there is anything in it."""
        oldest_ms = await self._queue.oldest_ms()
        age_s = 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        length = 0 if oldest_ms is None else await self._queue.length()
        name = self._subscription.subscription_id
        self._metrics.waiting(self._subscription.channel, name, length, age_s)
        return oldest_ms is not None
