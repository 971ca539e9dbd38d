"""The Kafka edge: ``alerts.correlated`` and ``associations`` in, ``out.*`` and ``voevents`` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.distribute.channels import channels
from services.distribute.deliver import DELIVERY_ID, outgoing_alerts, outgoing_statements
from services.distribute.delivered import Delivered, Place
from services.distribute.dispatch import Dispatch
from services.distribute.filters.active import ActiveFilters
from services.distribute.metrics import DistributeMetrics
from services.distribute.out_topics import OutTopics
from services.distribute.settings import DistributeSettings
from services.distribute.voevents.packet import Author
from shared.archive.readers import private_surveys
from shared.filters.guard import Limits
from shared.filters.user_filter import read_filters
from shared.kafka import app as kafka
from shared.kafka.recent import recent_headers
from shared.kafka.records import Envelope, Message, Record
from shared.kafka.sinks import add_envelope_sink, add_record_sink
from shared.kafka.standstill import Standstill
from shared.kafka.topics import Topic, out_topic
from shared.store import open_store

SERVICE = "distribute"


def create_app(settings: DistributeSettings) -> kafka.ServiceApp:
    """Make the application; reads and judges the filters, connects to nothing."""
    app = kafka.create_app(SERVICE, settings)
    metrics = DistributeMetrics(app.metrics.registry)
    prefix = settings.topic_prefix
    statements = [topic.named(prefix) for topic in (Topic.VOEVENTS, Topic.GCN_NOTICES)]
    author = Author(
        settings.voevent_authority, settings.voevent_contact_name, settings.voevent_contact_email
    )

    async def read_tail(places: Sequence[Place], count: int) -> Mapping[Place, list[bytes]]:
        found = await recent_headers(settings, places, count)
        return {
            place: [value for headers in messages for key, value in headers if key == DELIVERY_ID]
            for place, messages in found.items()
        }

    delivered = Delivered(settings.delivered_window, read_tail)
    standstill = Standstill()

    async def send_once(topic: str, messages: Sequence[Message]) -> None:
        standstill.check()
        await kafka.outbox_of(app).send_once(topic, messages)

    dispatch = Dispatch(channels(send_once), delivered, metrics)
    built_in = read_filters(settings.filters_file)
    names = [*statements, *(out_topic(each.name, prefix) for each in built_in)]
    topics = OutTopics(settings, names, settings.out_retention_hours)
    limits = Limits(settings.filter_memory_mib, settings.filter_seconds)
    store = open_store(settings) if settings.filters_from_database else None
    private = private_surveys(settings.private_surveys)
    active = ActiveFilters(built_in, limits, private, prefix, store, topics, metrics)

    async def deliver_alerts(envelopes: list[Envelope]) -> None:
        await active.ready()
        engine = active.engine
        with metrics.filter_seconds.time():
            outgoing = outgoing_alerts(engine, envelopes, prefix)
        metrics.paused(engine.paused)
        app.metrics.sent("out", await dispatch.send(outgoing))
        emitted = [envelope.batch.integers("emitted_ms") for envelope in envelopes]
        app.metrics.aged("out", np.concatenate(emitted))

    async def deliver_statements(records: list[Record]) -> None:
        await topics.ensure()
        for topic, messages in outgoing_statements(records, author, prefix, private).items():
            app.metrics.sent(topic, await dispatch.send({topic: messages}))

    async def follow_filters() -> None:
        await active.follow(settings.filters_poll_s)

    async def forget(*_: Any, **__: Any) -> None:
        dispatch.forget()

    add_envelope_sink(
        app,
        settings,
        source=Topic.CORRELATED,
        deliver=deliver_alerts,
        split_alerts=True,
        within_s=settings.distribute_take_within_s,
    )
    add_record_sink(app, settings, source=Topic.ASSOCIATIONS, deliver=deliver_statements)
    app.task(follow_filters)
    app.task(standstill.watch)
    app.on_partitions_revoked.connect(forget, weak=False)
    return app
