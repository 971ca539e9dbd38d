"""The Kafka edge: ``alerts.classified`` in, ``alerts.correlated`` and ``associations`` out.

Every worker reads all of ``notices`` and ``associations`` from their start; alerts wait until
it has caught up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError

from services.mma.correlator import Correlator
from services.mma.metrics import MmaMetrics
from services.mma.settings import MmaSettings
from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka import app as kafka
from shared.kafka.records import Message, Record, StageResult
from shared.kafka.river import add_stage
from shared.kafka.tail import add_tail
from shared.kafka.topics import Topic
from shared.schemas.association import Association
from shared.schemas.notice import Notice

SERVICE = "mma"


def create_app(settings: MmaSettings, beside: kafka.ServiceApp | None = None) -> kafka.ServiceApp:
    """Make the application."""
    app = kafka.create_app(SERVICE, settings, beside)
    correlator = Correlator(
        max_credible_level=settings.mma_max_credible_level,
        max_events=settings.mma_max_events,
        max_maps=settings.mma_max_maps,
        max_recent_alerts=settings.mma_max_recent_alerts,
        max_associations=settings.mma_max_associations,
    )
    metrics = MmaMetrics(app.metrics.registry, correlator)
    changed = asyncio.Event()

    def on_notice(record: Record) -> None:
        try:
            notice = Notice.from_json(record.value)
        except ValidationError:
            metrics.notice("unknown", "not_a_notice")
            return
        try:
            correlator.take_notice(notice)
            metrics.notice(notice.notice_type, "taken")
        except RejectedRecordError as error:
            metrics.notice(notice.notice_type, error.reason)
        changed.set()

    def on_association(record: Record) -> None:
        try:
            correlator.take_association(Association.from_json(record.value))
        except ValidationError:
            return
        changed.set()

    tails = [
        add_tail(app, settings, topic=Topic.NOTICES, on_record=on_notice),
        add_tail(app, settings, topic=Topic.ASSOCIATIONS, on_record=on_association),
    ]
    caught_up = asyncio.Event()
    told_topic = Topic.ASSOCIATIONS.named(settings.topic_prefix)

    async def settle() -> None:
        """Tell what a new, changed or retracted event means for the alerts of late."""
        for tail in tails:
            await tail.caught_up()
        caught_up.set()
        while True:
            news = correlator.settle()
            if news:
                await app.outbox.send(told_topic, _messages(news))
                app.metrics.sent(told_topic, len(news))
                metrics.told(news)
            await changed.wait()
            changed.clear()

    def stage(batch: AlertBatch) -> StageResult:
        if not caught_up.is_set():
            raise UpstreamUnavailableError("notices and associations are still being read")
        result = correlator.correlate(batch)
        metrics.told(result.associations)
        records = [(Topic.ASSOCIATIONS, message) for message in _messages(result.associations)]
        return StageResult(result.batch, records)

    app.task(settle)
    add_stage(app, settings, source=Topic.CLASSIFIED, sink=Topic.CORRELATED, stage=stage)
    return app


def _messages(associations: Sequence[Association]) -> list[Message]:
    return [Message(a.to_json(), key=a.key) for a in associations]
