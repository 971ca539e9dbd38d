"""The river's ends: what a service does with envelopes or records beyond sending them on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Any

from shared.kafka.app import ServiceApp
from shared.kafka.dead_letters import alerts_of, letter_of_record, letters_of_alerts, reject
from shared.kafka.policy import Failure, carry_out, uninterrupted
from shared.kafka.records import Envelope, Record, RejectedAlert
from shared.kafka.river import open_envelopes, record_of
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

EnvelopeDelivery = Callable[[list[Envelope]], Awaitable[None]]
RecordDelivery = Callable[[list[Record]], Awaitable[None]]


def add_envelope_sink(
    app: ServiceApp,
    settings: ServiceSettings,
    *,
    source: Topic,
    deliver: EnvelopeDelivery,
    split_alerts: bool = False,
    within_s: float | None = None,
) -> None:
    """Hand takes of envelopes from ``source`` to ``deliver``, under the one error policy.

    Parameters
    ----------
    app, settings
        The service.
    source
        A topic of the river.
    deliver
        Returns only when its effect is durable; must bear being asked twice.
    split_alerts
        Whether a failing envelope is broken into single alerts to find the culprit. Where the
        effect is one per envelope (the archive) it is set aside whole.
    within_s
        Longest wait for more envelopes, seconds, if not ``take_within_s``: an effect that is
        dear per take and not pressing waits longer.
    """
    name = source.named(settings.topic_prefix)

    async def set_aside(item: Envelope, failure: Failure) -> None:
        if split_alerts and len(item.batch):
            row = RejectedAlert(0, failure.reason, failure.detail)
            letters = letters_of_alerts(
                app.metrics.service, name, item.batch, [row], failure.traceback
            )
        else:
            letters = [letter_of_record(app.metrics.service, item.record, failure)]
        await reject(app, settings, letters)

    async def carry(records: list[Record]) -> None:
        started = time.perf_counter()
        await app.continuity.require(records)
        envelopes = await open_envelopes(app, settings, records)
        app.metrics.took(name, sum(len(e.batch) for e in envelopes))
        split = alerts_of if split_alerts else _whole
        await carry_out(envelopes, deliver, set_aside, app.progress, split_one=split)
        elapsed = time.perf_counter() - started
        app.metrics.batch_seconds.labels(app.metrics.service, name).observe(elapsed)

    within = settings.take_within_s if within_s is None else within_s
    _add_agent(app, name, settings.max_envelopes_per_take, within, carry)


def add_record_sink(
    app: ServiceApp,
    settings: ServiceSettings,
    *,
    source: Topic,
    deliver: RecordDelivery,
) -> None:
    """Hand takes of plain records (notices, associations) to ``deliver``; else as above."""
    name = source.named(settings.topic_prefix)

    async def set_aside(item: Record, failure: Failure) -> None:
        await reject(app, settings, [letter_of_record(app.metrics.service, item, failure)])

    async def carry(records: list[Record]) -> None:
        await app.continuity.require(records)
        app.metrics.took(name, len(records))
        await carry_out(records, deliver, set_aside, app.progress)

    most = settings.max_envelopes_per_take * 10
    _add_agent(app, name, most, settings.take_within_s, carry)


def _whole(item: Envelope) -> list[Envelope]:
    return [item]


def _add_agent(
    app: ServiceApp,
    topic: str,
    records_per_take: int,
    within_s: float,
    carry: Callable[[list[Record]], Any],
) -> None:
    app.lag_watch.watch(app.conf.id, topic)

    async def run(stream: Any) -> None:
        takes: AsyncIterable[Sequence[Any]] = stream.take_events(records_per_take, within=within_s)
        async for events in takes:
            await uninterrupted(carry([record_of(event) for event in events]))

    app.agent(app.topic(topic, value_type=bytes, key_type=bytes), name=f"{app.conf.id}.{topic}")(
        run
    )
