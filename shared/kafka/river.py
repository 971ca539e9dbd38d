"""``add_stage``: one stage of the river. Alerts in, the same alerts with more columns out.

Alerts come as envelopes from a topic, or in memory from the stage before it in the same process
(``shared.kafka.hops``); rules and results are the same.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterable, Callable, Sequence
from typing import Any

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError
from shared.kafka.app import ServiceApp
from shared.kafka.dead_letters import alerts_of, letter_of_record, letters_of_alerts, reject
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.partitions import envelopes_of
from shared.kafka.policy import Failure, carry_out, uninterrupted
from shared.kafka.records import Envelope, Message, Record, RejectedAlert, StageResult
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

Stage = Callable[[AlertBatch], AlertBatch | StageResult]
IN_MEMORY = -1
"""Partition and offset of what did not come from a topic."""


def record_of(event: Any) -> Record:
    """A Faust event as a record."""
    message = event.message
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=int((message.timestamp or 0) * 1000),
        key=message.key,
        value=message.value,
    )


async def open_envelopes(
    app: ServiceApp, settings: ServiceSettings, records: Sequence[Record]
) -> list[Envelope]:
    """Read envelopes; those that cannot be read are set aside whole."""
    envelopes = []
    for record in records:
        try:
            envelopes.append(Envelope(record, read_envelope(record.value)))
        except RejectedRecordError as error:
            letter = letter_of_record(app.metrics.service, record, Failure(error))
            await reject(app, settings, [letter])
    return envelopes


async def hand_on(
    app: ServiceApp, settings: ServiceSettings, sink: Topic, batch: AlertBatch
) -> None:
    """Pass alerts that are not in an envelope yet to whoever reads ``sink``.

    Back when Kafka has acknowledged them, or everything that the next stage made of them.
    """
    name = sink.named(settings.topic_prefix)
    joined = app.hops.to(name)
    if joined is not None:
        await joined(batch)
        return
    await app.outbox.send(name, list(envelopes_of(batch, settings.partitions)))
    app.metrics.sent(name, len(batch))
    app.metrics.aged(name, batch.integers("emitted_ms"))


def add_stage(
    app: ServiceApp,
    settings: ServiceSettings,
    *,
    source: Topic,
    sink: Topic,
    stage: Stage,
) -> None:
    """Make ``app`` carry alerts from ``source`` to ``sink`` through ``stage``.

    An envelope goes out on the partition it came in on, so an object's alerts stay in order.
    In a process that the app shares, it joins the hop from ``source`` and reads no topic.
    """
    river = _River(app, settings, source.named(settings.topic_prefix), sink, stage)
    if app.leader is not None:
        app.hops.join(river.source, river.carry_batch)
        return
    app.lag_watch.watch(app.conf.id, river.source)

    async def run(stream: Any) -> None:
        takes: AsyncIterable[Sequence[Any]] = stream.take_events(
            settings.max_envelopes_per_take, within=settings.take_within_s
        )
        async for events in takes:
            records = [record_of(event) for event in events]
            await uninterrupted(river.carry_records(records))

    topic = app.topic(river.source, value_type=bytes, key_type=bytes)
    app.agent(topic, name=f"{app.conf.id}.river")(run)


class _River:
    """One stage at work: what it takes goes through it and on, or is set aside."""

    def __init__(
        self, app: ServiceApp, settings: ServiceSettings, source: str, sink: Topic, stage: Stage
    ) -> None:
        self.source = source
        self._app = app
        self._settings = settings
        self._sink = sink
        self._stage = stage

    async def carry_records(self, records: list[Record]) -> None:
        """Carry a take from the source's topic."""
        started = time.perf_counter()
        await self._app.continuity.require(records)
        envelopes = await open_envelopes(self._app, self._settings, records)
        self._app.metrics.took(self.source, sum(len(e.batch) for e in envelopes))
        await self._carry(envelopes, started)

    async def carry_batch(self, batch: AlertBatch) -> None:
        """Carry alerts that the stage before hands on in memory."""
        nowhere = Record(self.source, IN_MEMORY, IN_MEMORY, 0, None, b"")
        await self._carry([Envelope(nowhere, batch)], time.perf_counter())

    async def _carry(self, envelopes: list[Envelope], started: float) -> None:
        app = self._app
        await carry_out(
            envelopes, self._deliver, self._set_aside, app.progress, split_one=alerts_of
        )
        elapsed = time.perf_counter() - started
        app.metrics.batch_seconds.labels(app.metrics.service, self.source).observe(elapsed)

    async def _deliver(self, items: list[Envelope]) -> None:
        """Side records and dead letters first, then the river: what goes on is complete."""
        results = [_result(self._stage(item.batch)) for item in items]
        service = self._app.metrics.service
        side: dict[str, list[Message]] = defaultdict(list)
        for item, result in zip(items, results, strict=True):
            for topic, message in result.records:
                side[topic.named(self._settings.topic_prefix)].append(message)
            letters = letters_of_alerts(service, self.source, item.batch, result.rejected)
            await reject(self._app, self._settings, letters)
        for topic_name, messages in side.items():
            await self._app.outbox.send(topic_name, messages)
            self._app.metrics.sent(topic_name, len(messages))
        made = [(i, r.batch) for i, r in zip(items, results, strict=True) if len(r.batch)]
        from_topic = [(i, b) for i, b in made if i.record.partition != IN_MEMORY]
        if from_topic:
            await self._send(from_topic)
        for item, batch in made:
            if item.record.partition == IN_MEMORY:
                await hand_on(self._app, self._settings, self._sink, batch)

    async def _send(self, made: Sequence[tuple[Envelope, AlertBatch]]) -> None:
        """Envelopes out, each on the partition it came in on."""
        sink = self._sink.named(self._settings.topic_prefix)
        out = [Message(write_envelope(b), partition=i.record.partition) for i, b in made]
        await self._app.outbox.send(sink, out)
        self._app.metrics.sent(sink, sum(len(batch) for _, batch in made))
        emitted = pa.chunked_array([batch.column("emitted_ms") for _, batch in made])
        self._app.metrics.aged(sink, emitted.to_numpy())

    async def _set_aside(self, item: Envelope, failure: Failure) -> None:
        service = self._app.metrics.service
        if not len(item.batch):  # no alert to make a letter of
            letters = [letter_of_record(service, item.record, failure)]
        else:
            row = RejectedAlert(0, failure.reason, failure.detail)
            letters = letters_of_alerts(service, self.source, item.batch, [row], failure.traceback)
        await reject(self._app, self._settings, letters)


def _result(made: AlertBatch | StageResult) -> StageResult:
    return made if isinstance(made, StageResult) else StageResult(made)
