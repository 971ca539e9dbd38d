"""``add_packet_source``: survey packets, many and large, in a Faust worker but past its streams.

Faust spends about 100 CPU-microseconds on every message, aiokafka 120 to 216 on one of 76 KB;
librdkafka reads the same message for 53. Only survey topics hold one alert per message, so only
they are read this way. The rules are the same: nothing is committed before it is carried out,
and the one error policy holds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from mode import Service

from shared.kafka import patience
from shared.kafka.app import ServiceApp
from shared.kafka.connection import librdkafka_connection
from shared.kafka.packet_readers import PacketDelivery, PacketLane, PacketReader, Place
from shared.kafka.policy import uninterrupted
from shared.kafka.records import Packet
from shared.settings import ServiceSettings

log = structlog.get_logger()
_COMMIT_EVERY_S = 1.0
_REVOKE_PATIENCE_S = 20.0
"""Longest wait for a take before its partitions are given up; then it is carried out twice."""


def add_packet_source(
    app: ServiceApp,
    settings: ServiceSettings,
    *,
    group: str,
    topics: Sequence[str],
    handle: PacketDelivery,
    on_assigned: Callable[[], None] | None = None,
) -> None:
    """Hand takes of survey packets to ``handle``; commit when it has returned.

    Where the app shares the process of one that reads the same topics, both are handed the same
    takes: a packet is fetched once, and committed for both groups when both have returned.

    Parameters
    ----------
    app, settings
        The service.
    group
        Consumer group, without prefix.
    topics
        Full names of survey topics; one that begins with ``^`` is a regular expression.
    handle
        Returns only when its effect is durable; must bear being asked twice.
    on_assigned
        Called when partitions have come to this worker, before their first packets do; from
        another thread.
    """
    reader = PacketReader(app, settings, f"{settings.topic_prefix}{group}", handle)
    source = app.leader.packet_source if app.leader is not None else None
    if source is not None and source.topics == list(topics):
        source.share_with(reader)
    elif topics:
        app.packet_source = PacketSource(reader, list(topics), on_assigned)
        app.attach(app.packet_source)


class PacketSource(Service):
    """One librdkafka consumer, its blocking calls in a thread of its own."""

    logger = logging.getLogger("faust.packets")

    def __init__(
        self,
        reader: PacketReader,
        topics: list[str],
        on_assigned: Callable[[], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topics = topics
        self._app = reader.app
        self._settings = reader.settings
        self._group = reader.group
        self._lanes = [PacketLane(reader)]
        self._committed: list[dict[Place, int]] = [{}]
        self._others: list[Consumer] = []
        self._tell_assigned = on_assigned
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="packets")
        self._loop_task: asyncio.Task[None] | None = None
        self._stopping = False
        self._committed_at = 0.0
        self._owned: set[Place] = set()
        self._carried = threading.Event()
        self._carried.set()

    def share_with(self, reader: PacketReader) -> None:
        """Hand every take to ``reader`` too, at its own pace, and commit for its group."""
        self._lanes.append(PacketLane(reader))
        self._committed.append({})

    async def on_start(self) -> None:
        """Start reading."""
        for topic in self.topics:
            if not topic.startswith("^"):
                self._app.lag_watch.watch(self._group, topic)
        self._loop_task = asyncio.create_task(uninterrupted(self._run()))

    async def on_stop(self) -> None:
        """Finish the take, commit, leave the group."""
        self._stopping = True
        if self._loop_task is not None:
            await asyncio.wait([self._loop_task])
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        consumer = Consumer(self._consumer_settings())
        # These never subscribe: they only commit, for groups that have no member of their own.
        self._others = [
            Consumer({**self._consumer_settings(), "group.id": lane.reader.group})
            for lane in self._lanes[1:]
        ]
        behind = [asyncio.create_task(uninterrupted(lane.run())) for lane in self._lanes[1:]]
        consumer.subscribe(
            self.topics,
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._thread, self._take, consumer)
        try:
            while not self._stopping:
                packets = await coming
                if packets:
                    self._carried.clear()
                coming = loop.run_in_executor(self._thread, self._take, consumer)
                if packets:
                    await self._carry(packets)
        finally:
            await asyncio.wait([coming])  # what it brings is not committed: it comes again
            for lane, task in zip(self._lanes[1:], behind, strict=True):
                await lane.drained()
                task.cancel()
            await loop.run_in_executor(self._thread, self._leave, consumer)

    def _take(self, consumer: Consumer) -> list[Packet]:
        """The next take, fetched while the last is carried."""
        self._commit_if_due(consumer)
        number, within_s = self._settings.max_packets_per_take, self._settings.take_within_s
        return _packets_of(consumer.consume(number, within_s))

    async def _carry(self, packets: list[Packet]) -> None:
        for topic, count in Counter(packet.topic for packet in packets).items():
            self._app.metrics.took(topic, count)
        for lane in self._lanes[1:]:
            await lane.put(packets)
        await self._lanes[0].carry(packets)
        self._carried.set()

    def _commit_if_due(self, consumer: Consumer) -> None:
        now = time.monotonic()
        if now - self._committed_at >= _COMMIT_EVERY_S:
            self._committed_at = now
            self._commit(consumer)

    def _commit(self, consumer: Consumer) -> None:
        done = [lane.done() for lane in self._lanes]
        # The first group's offsets are where everybody goes on after a restart.
        first = {p: min(each[p] for each in done) for p in set.intersection(*map(set, done))}
        consumers = (consumer, *self._others)
        for each, lane, offsets, committed in zip(
            consumers, self._lanes, (first, *done[1:]), self._committed, strict=True
        ):
            # A take that was under way when its partitions were lost must not move them back.
            news = [
                TopicPartition(*place, offset)
                for place, offset in offsets.items()
                if place in self._owned and committed.get(place) != offset
            ]
            if not news:
                continue
            try:
                each.commit(offsets=news, asynchronous=False)
            except KafkaException as error:
                # The partitions have moved, or the broker is away: they will be delivered again.
                log.warning("commit_failed", group=lane.reader.group, error=str(error))
            else:
                committed.update(((n.topic, n.partition), n.offset) for n in news)

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        self._disown(assigned)  # what was noted when they were ours before is out of date
        self._owned |= {(place.topic, place.partition) for place in assigned}
        if assigned and self._tell_assigned is not None:
            self._tell_assigned()

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        # The take under way is finished first, so that the next owner begins after it.
        self._carried.wait(_REVOKE_PATIENCE_S)
        self._wait_for_lanes(_REVOKE_PATIENCE_S)
        self._commit(consumer)
        self._disown(revoked)

    def _on_lost(self, _: Consumer, lost: list[TopicPartition]) -> None:
        self._disown(lost)

    def _wait_for_lanes(self, patience_s: float) -> None:
        """Wait, from the consumer's thread, until no lane is behind the first."""
        deadline = time.monotonic() + patience_s
        first = self._lanes[0].done()
        while time.monotonic() < deadline:
            if all(lane.done().get(p, 0) >= o for lane in self._lanes for p, o in first.items()):
                return
            time.sleep(0.02)

    def _disown(self, partitions: list[TopicPartition]) -> None:
        places = {(each.topic, each.partition) for each in partitions}
        self._owned -= places
        for lane, committed in zip(self._lanes, self._committed, strict=True):
            lane.forget(places)
            for place in places:
                committed.pop(place, None)

    def _leave(self, consumer: Consumer) -> None:
        self._commit(consumer)
        for each in (consumer, *self._others):
            each.close()

    def _consumer_settings(self) -> dict[str, Any]:
        return {
            **librdkafka_connection(self._settings),
            "group.id": self._group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": patience.ms(patience.SESSION_S),
            "heartbeat.interval.ms": patience.ms(patience.HEARTBEAT_S),
            "socket.timeout.ms": patience.ms(patience.REQUEST_S),
            "socket.connection.setup.timeout.ms": patience.ms(patience.ANSWER_S),
            "reconnect.backoff.max.ms": 2000,
            "max.poll.interval.ms": 600_000,
            "check.crcs": False,
            "fetch.max.bytes": 16 * 1024 * 1024,
            "max.partition.fetch.bytes": 8 * 1024 * 1024,
            "queued.max.messages.kbytes": 32 * 1024,
            # Default 1 s: under lag the queue would fill, empty in 0.3 s, and wait for the rest.
            "fetch.queue.backoff.ms": 10,
            "fetch.wait.max.ms": 500,
            "topic.metadata.refresh.interval.ms": patience.ms(patience.METADATA_AGE_S),
            "log_level": 4,
        }


def _packets_of(messages: list[Any]) -> list[Packet]:
    packets = []
    for message in messages:
        error = message.error()
        if error is not None:
            log.warning("packet_source", error=str(error))
            continue
        packets.append(
            Packet(
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                timestamp_ms=max(message.timestamp()[1], 0),
                key=message.key(),
                value=message.value() or b"",
            )
        )
    return packets
