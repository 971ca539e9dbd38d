"""``add_stage``: one stage of the river. Envelopes in, the same alerts with more columns out."""

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
from shared.kafka.policy import Failure, carry_out, uninterrupted
from shared.kafka.records import Envelope, Message, Record, RejectedAlert, StageResult
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

Stage = Callable[[AlertBatch], AlertBatch | StageResult]


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
    """
    names = (source.named(settings.topic_prefix), sink.named(settings.topic_prefix))
    app.lag_watch.watch(app.conf.id, names[0])

    async def run(stream: Any) -> None:
        takes: AsyncIterable[Sequence[Any]] = stream.take_events(
            settings.max_envelopes_per_take, within=settings.take_within_s
        )
        async for events in takes:
            records = [record_of(event) for event in events]
            await uninterrupted(_carry(app, settings, names, stage, records))

    app.agent(app.topic(names[0], value_type=bytes, key_type=bytes), name=f"{app.conf.id}.river")(
        run
    )


async def _carry(
    app: ServiceApp,
    settings: ServiceSettings,
    names: tuple[str, str],
    stage: Stage,
    records: list[Record],
) -> None:
    source, sink = names
    started = time.perf_counter()
    await app.continuity.require(records)
    envelopes = await open_envelopes(app, settings, records)
    app.metrics.took(source, sum(len(e.batch) for e in envelopes))

    async def deliver(items: list[Envelope]) -> None:
        results = [_result(stage(item.batch)) for item in items]
        await _send_all(app, settings, sink, source, items, results)

    async def set_aside(item: Envelope, failure: Failure) -> None:
        if not len(item.batch):  # no alert to make a letter of
            letter = letter_of_record(app.metrics.service, item.record, failure)
            await reject(app, settings, [letter])
            return
        row = RejectedAlert(0, failure.reason, failure.detail)
        letters = letters_of_alerts(
            app.metrics.service, source, item.batch, [row], failure.traceback
        )
        await reject(app, settings, letters)

    await carry_out(envelopes, deliver, set_aside, app.progress, split_one=alerts_of)
    elapsed = time.perf_counter() - started
    app.metrics.batch_seconds.labels(app.metrics.service, source).observe(elapsed)


def _result(made: AlertBatch | StageResult) -> StageResult:
    return made if isinstance(made, StageResult) else StageResult(made)


async def _send_all(
    app: ServiceApp,
    settings: ServiceSettings,
    sink: str,
    source: str,
    items: Sequence[Envelope],
    results: Sequence[StageResult],
) -> None:
    """Side records and dead letters first, then the river: what goes on is complete."""
    side: dict[str, list[Message]] = defaultdict(list)
    for item, result in zip(items, results, strict=True):
        for topic, message in result.records:
            side[topic.named(settings.topic_prefix)].append(message)
        letters = letters_of_alerts(app.metrics.service, source, item.batch, result.rejected)
        await reject(app, settings, letters)
    for topic_name, messages in side.items():
        await app.outbox.send(topic_name, messages)
        app.metrics.sent(topic_name, len(messages))
    out = [
        (result.batch, Message(write_envelope(result.batch), partition=item.record.partition))
        for item, result in zip(items, results, strict=True)
        if len(result.batch)
    ]
    if not out:
        return
    await app.outbox.send(sink, [message for _, message in out])
    app.metrics.sent(sink, sum(len(batch) for batch, _ in out))
    emitted = pa.chunked_array([batch.column("emitted_ms") for batch, _ in out])
    app.metrics.aged(sink, emitted.to_numpy())
