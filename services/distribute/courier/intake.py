"""From Kafka into the queue: a consumer group of the subscription's own.

A message is committed when it stands in the database. While the queue is full the rest stays
in Kafka, whose retention is then the limit of what is kept for a peer that is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from services.distribute.courier.documents import Documents
from services.distribute.courier.queue import DeliveryQueue, now_ms
from services.distribute.courier.settings import CourierSettings
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.kafka.records import Record
from shared.subscriptions.subscription import Delivery, Subscription

log = structlog.get_logger()
_TAKE = 200
_FETCH_MS = 500
_FULL_PAUSE_S = 2.0
_RETRY_S = 2.0
_LONGEST_WAIT_MS = 24 * 3_600_000


def group_of(subscription_id: str, prefix: str) -> str:
    """The consumer group that reads for a subscription."""
    return f"{prefix}courier.{subscription_id}"


class Assigned(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The partitions whose deliveries are this courier's to make."""

    def __init__(self) -> None:
        self.partitions: frozenset[int] = frozenset()
        self.has_partitions = asyncio.Event()

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Another courier may deliver them now."""
        self.partitions = frozenset()
        self.has_partitions.clear()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """They are ours."""
        self.partitions = frozenset(tp.partition for tp in assigned)
        if self.partitions:
            self.has_partitions.set()


class Intake:
    """Reads one subscription's topic for as long as it is asked to."""

    def __init__(
        self,
        settings: CourierSettings,
        subscription: Subscription,
        queue: DeliveryQueue,
        documents: Documents,
        assigned: Assigned,
        *,
        once_per_object: bool,
    ) -> None:
        self._once_per_object = once_per_object
        self.hidden_surveys: frozenset[str] = frozenset()
        """Alerts of these surveys are not the owner's to see: passed over."""
        self._settings = settings
        self._subscription = subscription
        self._queue = queue
        self._documents = documents
        self._assigned = assigned

    async def run(self, came: asyncio.Event) -> None:
        """Read for ever; ``came`` is set whenever something was written down."""
        topic = f"{self._settings.topic_prefix}{self._subscription.source}"
        while True:
            consumer = self._consumer()
            try:
                await consumer.start()
                consumer.subscribe([topic], listener=self._assigned)
                await self._follow(consumer, came)
            except (KafkaError, OSError, UpstreamUnavailableError) as error:
                log.warning(
                    "courier_intake_retry",
                    subscription=self._subscription.subscription_id,
                    error=repr(error),
                )
            finally:
                await self._assigned.on_partitions_revoked([])
                await consumer.stop()
            await asyncio.sleep(_RETRY_S)

    def _consumer(self) -> Any:
        return AIOKafkaConsumer(
            **aiokafka_connection(self._settings),
            group_id=group_of(self._subscription.subscription_id, self._settings.topic_prefix),
            enable_auto_commit=False,
            # What came before the subscription was made was not asked for.
            auto_offset_reset="latest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            # A full queue is waited for without a fetch.
            max_poll_interval_ms=_LONGEST_WAIT_MS,
            session_timeout_ms=patience.ms(patience.SESSION_S),
            heartbeat_interval_ms=patience.ms(patience.HEARTBEAT_S),
            request_timeout_ms=patience.ms(patience.REQUEST_S),
            metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
        )

    async def _follow(self, consumer: Any, came: asyncio.Event) -> None:
        await self._begin(consumer)
        await self._while_full()
        while True:
            fetched = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_TAKE)
            made = [
                await self._delivery(message)
                for messages in fetched.values()
                for message in messages
            ]
            deliveries = [each for each in made if not self._is_hidden(each)]
            if deliveries:
                await self._queue.add(deliveries)
                came.set()
            if made:
                await consumer.commit()
                await self._while_full()

    async def _while_full(self) -> None:
        """Wait until the queue has room: what comes meanwhile stays in Kafka."""
        while True:
            if await self._queue.length() < self._settings.courier_queue:
                return
            await asyncio.sleep(_FULL_PAUSE_S)

    async def _begin(self, consumer: Any) -> None:
        """Commit where we begin: what comes while the courier is down belongs to us from now on.

        A subscription to a topic that is new begins at its first message.
        """
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=_FETCH_MS, max_records=1)
            if consumer.assignment():
                break
        places = consumer.assignment()
        fresh = [tp for tp in places if await consumer.committed(tp) is None]
        if not fresh:
            for tp in places:
                consumer.seek(tp, await consumer.committed(tp))
            return
        since_ms = self._subscription.created_ms
        found = await consumer.offsets_for_times(dict.fromkeys(fresh, since_ms))
        ends = await consumer.end_offsets(fresh)
        starts = {tp: found[tp].offset if found.get(tp) else ends[tp] for tp in fresh}
        await consumer.commit(starts)
        for tp in places:
            consumer.seek(tp, starts[tp] if tp in starts else await consumer.committed(tp))

    def _is_hidden(self, delivery: Delivery) -> bool:
        if not self.hidden_surveys:
            return False
        said = orjson.loads(delivery.payload) if delivery.payload else {}
        return delivery.survey in self.hidden_surveys or said.get("survey") in self.hidden_surveys

    async def _delivery(self, message: Any) -> Delivery:
        subscription = self._subscription
        record = Record(
            message.topic, message.partition, message.offset, message.timestamp, message.key,
            message.value or b"",
        )  # fmt: skip
        place = f"{subscription.source}/{record.partition}/{record.offset:012d}"
        delivery = Delivery(
            delivery_id=f"{subscription.subscription_id}/{place}",
            subscription_id=subscription.subscription_id,
            channel=subscription.channel,
            source=subscription.source,
            partition=record.partition,
            offset=record.offset,
            queued_ms=now_ms(),
        )
        try:
            subject, object_id, payload = await self._documents.read(
                subscription.source, record, subscription.owner
            )
        except RejectedRecordError as error:
            failed = {"state": "failed", "reason": str(error), "settled_ms": now_ms()}
            return delivery.model_copy(update=failed)
        identity = delivery.delivery_id
        if self._once_per_object and object_id:
            identity = f"{subscription.subscription_id}/object/{object_id}"
        headers = dict(message.headers or ())
        named = headers.get("delivery_id", b"").decode("utf-8", "replace")
        return delivery.model_copy(
            update={
                "delivery_id": identity, "subject": (subject or named)[:300],
                "object_id": object_id, "payload": payload,
                "survey": headers.get("survey", b"").decode("utf-8", "replace"),
            }
        )  # fmt: skip
