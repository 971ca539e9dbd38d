"""The Kafka edge: survey topics in; ``alerts`` and ``dead-letters`` out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

from services.ingest.adapters.schema_registry import registry_of
from services.ingest.framing import SchemaBook, official_schema_by_id
from services.ingest.metrics import IngestMetrics
from services.ingest.normalise import Refused, normalise
from services.ingest.recall import Recall
from services.ingest.recent import RecentAlerts
from services.ingest.settings import IngestSettings
from services.ingest.warm_up import warm_up
from shared.kafka import app as kafka
from shared.kafka.backwards import chunks_from_end
from shared.kafka.dead_letters import reject
from shared.kafka.packets import add_packet_source
from shared.kafka.records import Packet, Record
from shared.kafka.river import hand_on
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import MAX_PAYLOAD_BYTES, DeadLetter

SERVICE = "ingest"
RIVER = (Topic.ALERTS, Topic.MATCHED, Topic.CLASSIFIED, Topic.CORRELATED)
"""The first of these that is not handed on in memory holds what ingest has sent."""


def create_app(
    settings: IngestSettings, beside: kafka.ServiceApp | None = None
) -> kafka.ServiceApp:
    """Make the application; compiles the decoder, which takes ten seconds the first time."""
    app = kafka.create_app(SERVICE, settings, beside)
    metrics = IngestMetrics(app.metrics.registry)
    book = SchemaBook(registry_of(settings) or official_schema_by_id)
    recent = RecentAlerts(settings.ingest_duplicate_window)
    warm_up()

    def sent_before(floors: Mapping[int, int], seconds: float) -> Iterator[list[Record]]:
        names = (topic.named(settings.topic_prefix) for topic in RIVER)
        name = next(name for name in names if app.hops.to(name) is None)
        return chunks_from_end(settings, name, floors, seconds)

    recall = Recall(recent, sent_before, settings.ingest_duplicate_window, settings.ingest_recall_s)

    async def handle(packets: list[Packet]) -> None:
        await recall.refresh()
        result = await asyncio.to_thread(normalise, packets, book, recent, int(time.time() * 1000))
        for one in result.batches:
            await hand_on(app, settings, Topic.ALERTS, one.batch)
            recent.remember(one.keys, one.origins)
        await reject(app, settings, letters_of(packets, result.refused))
        metrics.normalised(result)

    topics = [topic for _, topic in settings.survey_topic_pairs()]
    add_packet_source(
        app, settings, group=SERVICE, topics=topics, handle=handle, on_assigned=recall.moved
    )
    return app


def letters_of(packets: Sequence[Packet], refused: Sequence[Refused]) -> list[DeadLetter]:
    """Dead letters of refused packets; of a duplicate without the packet, its twin went on."""
    letters = []
    for one in refused:
        packet = packets[one.packet]
        keep = one.reason != "duplicate" and len(packet.value) <= MAX_PAYLOAD_BYTES
        letters.append(
            DeadLetter(
                stage=SERVICE,
                reason=one.reason,
                detail=one.detail,
                traceback=None,
                origin_topic=packet.topic,
                origin_partition=packet.partition,
                origin_offset=packet.offset,
                taken_from=packet.topic,
                alert_id=one.alert_id,
                payload=packet.value if keep else None,
            )
        )
    return letters
