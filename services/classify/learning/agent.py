"""Kafka's side of votes: ``votes`` and ``alerts.correlated`` in, each user's list to the database.

The ``votes`` topic is the memory: it is read from its start by every worker that begins.
"""

from __future__ import annotations

import asyncio
import time

import structlog
from pydantic import ValidationError

from services.classify.learning.anomalies.desk import Desk
from services.classify.learning.settings import LearningSettings
from shared.errors import UpstreamUnavailableError
from shared.kafka import app as kafka
from shared.kafka.records import Envelope, Record
from shared.kafka.sinks import add_envelope_sink
from shared.kafka.tail import add_tail
from shared.kafka.topics import Topic
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

    def on_vote(record: Record) -> None:
        try:
            desk.hear(Vote.from_json(record.value))
        except ValidationError as error:
            log.warning("vote_left_out", offset=record.offset, error=str(error)[:300])

    async def see(envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            await asyncio.to_thread(desk.see, envelope.batch)

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
    add_envelope_sink(app, settings, source=Topic.CORRELATED, deliver=see)
    app.task(publish)
    return app
