"""Kafka's edge of the archive: what is read, and who keeps it."""

from __future__ import annotations

from services.archive.keep import DatabaseKeeper
from services.archive.keep_packets import keep_packets
from services.archive.metrics import ArchiveMetrics
from services.archive.packing import pack_when_due
from services.archive.settings import ArchiveSettings
from shared.kafka.app import ServiceApp
from shared.kafka.app import create_app as create_service_app
from shared.kafka.records import Envelope
from shared.kafka.sinks import add_envelope_sink, add_record_sink
from shared.kafka.topics import Topic
from shared.store import Collection, open_store

RECORDS = (
    (Topic.NOTICES, Collection.NOTICES),
    (Topic.ASSOCIATIONS, Collection.ASSOCIATIONS),
    (Topic.COINCIDENCES, Collection.COINCIDENCES),
    (Topic.LABELS, Collection.LABELS),
    (Topic.TARGETS, Collection.TARGETS),
    (Topic.VOTES, Collection.VOTES),
    (Topic.UPDATES, Collection.UPDATES),
)
"""Topics of few records, each kept in a collection of its own."""


def create_app(settings: ArchiveSettings) -> ServiceApp:
    """The archive's worker; connects to nothing before it is started."""
    app = create_service_app("archive", settings)
    metrics = ArchiveMetrics(app.metrics.registry)
    database = DatabaseKeeper(open_store(settings), metrics)

    async def keep_envelopes(envelopes: list[Envelope]) -> None:
        await database.keep_envelopes(envelopes)
        for envelope in envelopes:
            app.metrics.sent("database", len(envelope.batch))
            app.metrics.aged("database", envelope.batch.integers("emitted_ms"))

    add_envelope_sink(
        app,
        settings,
        source=Topic.CORRELATED,
        deliver=keep_envelopes,
        within_s=settings.archive_take_within_s,
    )
    for topic, collection in RECORDS:
        add_record_sink(app, settings, source=topic, deliver=database.keep_records(collection))
    add_record_sink(
        app, settings, source=Topic.EVENTS, deliver=database.keep_newest(Collection.EVENTS)
    )
    if settings.archive_keep_packets:
        keep_packets(app, settings, metrics)
    if settings.archive_pack_every_s:

        async def pack() -> None:
            await pack_when_due(settings.archive_pack_every_s)

        app.task(pack)
    return app
