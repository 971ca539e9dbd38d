"""The Kafka edge: ``alerts.correlated`` and ``out.*`` in, ``updates`` out, at its own pace."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.xmatch.remote import chosen_tables
from services.xmatch.remote.asking import Asker, open_client
from services.xmatch.remote.enrich import Enricher
from services.xmatch.remote.memory import Memory
from services.xmatch.remote.metrics import RemoteMetrics
from services.xmatch.remote.out_messages import wanted_by_filters
from services.xmatch.remote.pacing import CircuitBreaker, TokenBucket
from services.xmatch.remote.settings import RemoteSettings
from services.xmatch.remote.wanted import Wanted, wanted_of
from shared.errors import UpstreamUnavailableError
from shared.kafka import app as kafka
from shared.kafka.packets import add_packet_source
from shared.kafka.records import Envelope, Message, Packet
from shared.kafka.sinks import add_envelope_sink
from shared.kafka.topics import Topic, out_topic
from shared.store import open_store

SERVICE = "remote"
OUT_GROUP = "remote.out"
"""Consumer group of the filters' topics, without prefix."""
_LONGEST_PAUSE_S = 3_600.0
_PRUNE_EVERY_S = 600.0

log = structlog.get_logger()


def create_app(settings: RemoteSettings) -> kafka.ServiceApp:
    """Make the application; connects to nothing before it is started."""
    app = kafka.create_app(SERVICE, settings)
    metrics = RemoteMetrics(app.metrics.registry)
    store = open_store(settings)
    memory = Memory(
        store,
        keep_days=settings.remote_keep_days,
        most_answers=settings.remote_most_answers,
        most_questions=settings.remote_most_questions,
    )
    tables = chosen_tables(settings.remote_tables)
    names = [f"{service.name}/{table.name}" for service, table in tables]
    importance = settings.importance()
    updates_topic = Topic.UPDATES.named(settings.topic_prefix)

    async def remember(wanted: Sequence[Wanted]) -> None:
        if wanted:
            metrics.turned_away.inc(await memory.add(names, wanted, _now_ms()))

    async def take_envelopes(envelopes: list[Envelope]) -> None:
        await remember([one for e in envelopes for one in wanted_of(e.batch, importance)])

    async def take_out_messages(packets: list[Packet]) -> None:
        await remember(wanted_by_filters(packets))

    async def send(messages: Sequence[Message]) -> None:
        await kafka.outbox_of(app).send(updates_topic, messages)
        app.metrics.sent(updates_topic, len(messages))

    add_envelope_sink(app, settings, source=Topic.CORRELATED, deliver=take_envelopes)
    if settings.remote_filters:
        pattern = f"^{re.escape(out_topic('', settings.topic_prefix))}.*"
        add_packet_source(
            app, settings, group=OUT_GROUP, topics=[pattern], handle=take_out_messages
        )
    client = open_client()
    askers: dict[str, Asker] = {}
    for service, table in tables:
        if service.name not in askers:
            askers[service.name] = Asker(
                client,
                settings.urls().get(service.name, service.url),
                TokenBucket(settings.remote_requests_per_s, settings.remote_burst),
                CircuitBreaker(settings.remote_failures, settings.remote_pause_s, _LONGEST_PAUSE_S),
                settings.ask_limits(),
                _counter(metrics, service.name),
            )
        asker = askers[service.name]
        enricher = Enricher(
            service, table, asker, memory, send, settings.patience(), settings.remote_most_positions
        )
        app.task(_worker(enricher, asker, memory, metrics, settings.remote_poll_s))

    async def housekeeping() -> None:
        while True:
            try:
                await store.prepare()
                await memory.prune(_now_ms())
            except UpstreamUnavailableError as error:
                log.warning("upstream_unavailable", error=str(error))
            await asyncio.sleep(_PRUNE_EVERY_S)

    app.task(housekeeping)
    return app


def _worker(
    enricher: Enricher, asker: Asker, memory: Memory, metrics: RemoteMetrics, poll_s: float
) -> Callable[[], Awaitable[None]]:
    """A task that asks one table for ever; a bug in it is logged and does not end the others."""

    async def ask_for_ever() -> None:
        while True:
            try:
                outcome = await enricher.round()
                waiting = await memory.waiting(enricher.name)
                metrics.count(enricher.name, outcome, waiting, asker.state)
                if outcome.is_idle:
                    await asyncio.sleep(poll_s)
            except UpstreamUnavailableError as error:
                log.warning("upstream_unavailable", error=str(error))
                await asyncio.sleep(poll_s)
            except Exception:  # what a service answers is not ours to foresee
                log.error("remote_round_failed", table=enricher.name, exc_info=True)
                await asyncio.sleep(max(60.0, poll_s))

    return ask_for_ever


def _counter(metrics: RemoteMetrics, service: str) -> Callable[[str], None]:
    return lambda outcome: metrics.requests.labels(service, outcome).inc()


def _now_ms() -> int:
    return int(time.time() * 1000)
