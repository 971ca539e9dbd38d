"""Kafka's side of votes: ``votes`` and ``alerts.correlated`` in, each user's list to the database.

The ``votes`` topic is the memory: it is read from its start by every worker that begins. ``labels``
is read only to be counted, and the nightly loop's files to be shown to Prometheus.
"""

from __future__ import annotations

import asyncio
import time

import structlog
from pydantic import ValidationError

from services.classify.learning.anomalies.desk import Desk
from services.classify.learning.metrics import LearningMetrics
from services.classify.learning.nightly.measures import LOOPS, LoopCollector
from services.classify.learning.settings import LearningSettings
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka import app as kafka
from shared.kafka.backwards import chunks_from_end
from shared.kafka.envelopes import read_envelope
from shared.kafka.records import Envelope, Record
from shared.kafka.sinks import add_envelope_sink
from shared.kafka.tail import add_tail
from shared.kafka.topics import Topic
from shared.schemas.label import Label
from shared.schemas.vote import Vote
from shared.store import Collection, open_store

SERVICE = "learning"
log = structlog.get_logger()


def create_app(settings: LearningSettings) -> kafka.ServiceApp:
    """The worker; connects to nothing before it is started."""
    app = kafka.create_app(SERVICE, settings)
    store = open_store(settings)
    desk = Desk(
        settings.state_dir / "learning" / "anomaly_reference.npz",
        reference_alerts=settings.learning_reference_alerts,
        capacity=settings.learning_objects,
        list_length=settings.learning_list_length,
    )

    registry = app.metrics.registry
    metrics = LearningMetrics(registry, lambda: desk.user_count, lambda: desk.object_count)
    for loop, folder in LOOPS.items():
        registry.register(LoopCollector(settings.state_dir / folder, loop))

    def on_vote(record: Record) -> None:
        try:
            vote = Vote.from_json(record.value)
        except ValidationError as error:
            metrics.left_out(record)
            log.warning("vote_left_out", offset=record.offset, error=str(error)[:300])
        else:
            metrics.vote(record, vote)
            desk.hear(vote)

    def on_label(record: Record) -> None:
        try:
            metrics.label(record, Label.from_json(record.value))
        except ValidationError as error:
            metrics.left_out(record)
            log.warning("label_left_out", offset=record.offset, error=str(error)[:300])

    async def see(envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            await asyncio.to_thread(desk.see, envelope.batch)

    async def recall() -> None:
        try:
            await asyncio.to_thread(recall_alerts, settings, desk)
        except UpstreamUnavailableError as error:
            log.warning("alerts_not_recalled", error=str(error))

    async def publish() -> None:
        while True:
            try:
                lists = await asyncio.to_thread(desk.changed_lists, int(time.time() * 1000))
                updates = {user: {"$set": document} for user, document in lists.items()}
                await store.upsert(Collection.ANOMALY_LISTS, updates)
                desk.published(lists)
            except UpstreamUnavailableError as error:
                log.warning("upstream_unavailable", error=str(error))
            await asyncio.sleep(settings.learning_publish_s)

    add_tail(app, settings, topic=Topic.VOTES, on_record=on_vote)
    add_tail(app, settings, topic=Topic.LABELS, on_record=on_label)
    add_envelope_sink(app, settings, source=Topic.CORRELATED, deliver=see)
    app.task(recall)
    app.task(publish)
    return app


def recall_alerts(settings: LearningSettings, desk: Desk) -> None:
    """Read back what earlier workers have seen; raises ``UpstreamUnavailableError``."""
    topic = Topic.CORRELATED.named(settings.topic_prefix)
    for chunk in chunks_from_end(settings, topic, {}, settings.learning_recall_s):
        for record in reversed(chunk):
            try:
                batch = read_envelope(record.value)
            except RejectedRecordError:
                continue  # the sink has set it aside
            if len(batch):
                desk.recall(batch)
        if desk.is_full:
            return
