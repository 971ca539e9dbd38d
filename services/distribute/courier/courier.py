"""Keeps a line running for every active subscription, as the database has them now."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import ValidationError

from services.distribute.channels.base import Destination, PeerChannel
from services.distribute.courier.documents import Documents
from services.distribute.courier.line import Line
from services.distribute.courier.metrics import CourierMetrics
from services.distribute.courier.queue import DeliveryQueue, now_ms
from services.distribute.courier.rights import hidden_surveys
from services.distribute.courier.settings import CourierSettings
from shared.archive.readers import private_surveys
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.store import Collection, Store
from shared.subscriptions.channel_settings import settings_of
from shared.subscriptions.secrets import Sealer, SecretsError
from shared.subscriptions.subscription import Subscription

log = structlog.get_logger()
_SWEEP_EVERY_S = 600.0
_RIGHTS_EVERY_S = 30.0
_DAY_MS = 86_400_000
_MOST_SUBSCRIPTIONS = 1000


class Courier:
    """Starts, ends and renews lines.

    Parameters
    ----------
    settings
        The courier's.
    store
        Where subscriptions and deliveries are.
    channels
        Every peer channel by name.
    sealer
        Opens subscriptions' secrets.
    documents
        Reads messages.
    metrics
        Where deliveries are counted.
    """

    def __init__(
        self,
        settings: CourierSettings,
        store: Store,
        channels: Mapping[str, PeerChannel],
        sealer: Sealer,
        documents: Documents,
        metrics: CourierMetrics,
    ) -> None:
        self._settings = settings
        self._store = store
        self._channels = channels
        self._sealer = sealer
        self._documents = documents
        self._metrics = metrics
        self._running: dict[str, tuple[Subscription, Line, asyncio.Task[None]]] = {}
        self._private = private_surveys(settings.private_surveys)
        self._swept_at_s = self._rights_at_s = time.monotonic()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until ``stopping``; then lines end where they are."""
        try:
            while not stopping.is_set():
                try:
                    await self.renew()
                    await self._look_over_rights()
                    await self._sweep()
                    self._metrics.progress.is_ready = True
                    self._metrics.progress.waits_for = None
                except UpstreamUnavailableError as error:
                    self._metrics.progress.waits_for = "the database"
                    log.warning("courier_retry", error=str(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.courier_poll_s):
                        await stopping.wait()
        finally:
            await self._end([*self._running])
            for channel in self._channels.values():
                await channel.close()

    async def renew(self) -> None:
        """Make the lines be what the database says."""
        found = await self._store.find(
            Collection.SUBSCRIPTIONS, {"state": "active"}, limit=_MOST_SUBSCRIPTIONS
        )
        wanted: dict[str, Subscription] = {}
        for document in found:
            try:
                subscription = Subscription.model_validate(document)
            except ValidationError as error:
                faults = error.errors(include_input=False, include_url=False)
                log.warning("subscription_unreadable", id=document.get("_id"), faults=faults)
                continue
            wanted[subscription.subscription_id] = subscription
        gone = [
            name
            for name, (subscription, _, task) in self._running.items()
            if wanted.get(name) != subscription or task.done()
        ]
        await self._end(gone)
        for name, subscription in wanted.items():
            if name not in self._running:
                await self._start(subscription)
        self._metrics.subscriptions(
            dict.fromkeys(self._channels, 0) | Counter(s.channel for s in wanted.values())
        )

    async def _start(self, subscription: Subscription) -> None:
        name = subscription.subscription_id
        channel = self._channels.get(subscription.channel)
        try:
            if channel is None:
                raise RejectedRecordError("unknown_channel", subscription.channel)
            hidden = await hidden_surveys(self._store, subscription, self._private)
            sealed = subscription.sealed_secret
            destination = Destination(
                name,
                settings_of(subscription.channel, subscription.settings),
                self._sealer.open(sealed) if sealed is not None else None,
            )
        except (RejectedRecordError, SecretsError) as error:
            await self._pause(subscription, str(error))
            return
        line = Line(
            self._settings, subscription, channel, destination,
            DeliveryQueue(self._store, name), self._documents, self._metrics,
        )  # fmt: skip
        line.intake.hidden_surveys = hidden
        task = asyncio.create_task(line.run(), name=f"line-{name}")
        self._running[name] = (subscription, line, task)
        log.info("line_started", subscription=name, channel=subscription.channel)

    async def _end(self, names: list[str]) -> None:
        ended = [self._running.pop(name) for name in names]
        for subscription, _, task in ended:
            if task.done() and not task.cancelled() and task.exception() is not None:
                log.error(
                    "line_died",
                    subscription=subscription.subscription_id,
                    exc_info=task.exception(),
                )
            task.cancel()
        await asyncio.gather(*(task for _, _, task in ended), return_exceptions=True)
        for subscription, _, _ in ended:
            self._metrics.ended(subscription.channel, subscription.subscription_id)
            log.info("line_ended", subscription=subscription.subscription_id)

    async def _pause(self, subscription: Subscription, reason: str) -> None:
        """Nothing can come of it before its owner mends it."""
        log.warning("subscription_paused", id=subscription.subscription_id, reason=reason)
        change = {"$set": {"state": "paused", "reason": reason[:500]}}
        await self._store.update(Collection.SUBSCRIPTIONS, {subscription.subscription_id: change})

    async def _look_over_rights(self) -> None:
        """Pause what its owner may no longer read."""
        if time.monotonic() - self._rights_at_s < _RIGHTS_EVERY_S:
            return
        self._rights_at_s = time.monotonic()
        for subscription, line, _ in [*self._running.values()]:
            try:
                line.intake.hidden_surveys = await hidden_surveys(
                    self._store, subscription, self._private
                )
            except RejectedRecordError as error:
                await self._pause(subscription, str(error))

    async def _sweep(self) -> None:
        """Forget what was settled long ago, and what was for subscriptions that are no more."""
        if time.monotonic() - self._swept_at_s < _SWEEP_EVERY_S:
            return
        self._swept_at_s = time.monotonic()
        before_ms = now_ms() - int(self._settings.courier_keep_days * _DAY_MS)
        query: dict[str, Any] = {"settled_ms": {"$lt": before_ms, "$ne": None}}
        removed = await self._store.remove(Collection.DELIVERIES, query)
        deleted = await self._store.find(
            Collection.SUBSCRIPTIONS, {"state": "deleted"}, fields=("_id",), limit=10_000
        )
        if deleted:  # nobody waits for what was under way to them
            names = {"$in": [one["_id"] for one in deleted]}
            query = {"subscription_id": names, "settled_ms": None}
            removed += await self._store.remove(Collection.DELIVERIES, query)
        log.info("deliveries_forgotten", count=removed)
