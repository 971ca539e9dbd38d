"""The Kafka edge: ``alerts.classified`` in, ``alerts.correlated`` and ``associations`` out.

Every worker reads all of ``notices``, and of what was told of events, from their start; alerts
wait until it has caught up. ``coincidences``, ``events`` and ``heartbeat`` go out beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from services.mma.correlator import Correlator
from services.mma.event_news import EventNews
from services.mma.hearing import Hearing
from services.mma.look_back import LookBack
from services.mma.metrics import MmaMetrics
from services.mma.settings import MmaSettings
from services.mma.settling import Settling
from shared.alert_batch import AlertBatch
from shared.errors import UpstreamUnavailableError
from shared.kafka import app as kafka
from shared.kafka.admin import ensure_topics
from shared.kafka.records import Message, StageResult
from shared.kafka.river import add_stage
from shared.kafka.tail import add_tail
from shared.kafka.topics import Topic
from shared.schemas.association import Association
from shared.store import open_store

SERVICE = "mma"
WRITTEN = (Topic.ASSOCIATIONS, Topic.COINCIDENCES, Topic.EVENTS, Topic.HEARTBEAT)


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
    told_topic = Topic.ASSOCIATIONS.named(settings.topic_prefix)

    async def tell(news: Sequence[Association]) -> None:
        await app.outbox.send(told_topic, _messages(news))
        app.metrics.sent(told_topic, len(news))
        metrics.told(news)

    look_back = LookBack(
        correlator,
        lambda: open_store(settings),
        [survey for survey, _ in settings.survey_topic_pairs()],
        int(settings.mma_look_back_hours * 3_600_000),
    )
    settling = Settling(correlator, look_back, tell)
    hearing = Hearing(correlator, metrics, settling.note)
    heard = {
        Topic.NOTICES: hearing.notice,
        Topic.ASSOCIATIONS: hearing.association,
        Topic.COINCIDENCES: hearing.coincidence,
        Topic.EVENTS: hearing.event,
    }
    tails = [add_tail(app, settings, topic=t, on_record=take) for t, take in heard.items()]

    async def settle() -> None:
        await settling.settle_for_ever([tail.caught_up for tail in tails])

    def stage(batch: AlertBatch) -> StageResult:
        if not settling.caught_up.is_set():
            raise UpstreamUnavailableError("notices and associations are still being read")
        result = correlator.correlate(batch)
        metrics.told(result.associations)
        records = [(Topic.ASSOCIATIONS, message) for message in _messages(result.associations)]
        return StageResult(result.batch, records)

    async def tell_events() -> None:
        await settling.caught_up.wait()
        await EventNews(correlator, metrics, settings, app.outbox.send).tell_for_ever()

    async def make_topics() -> None:
        """Those that a mesh of an earlier version does not have."""
        with suppress(UpstreamUnavailableError):  # the tails ask again until they are there
            await ensure_topics(settings, [t.named(settings.topic_prefix) for t in WRITTEN])

    app.task(make_topics)
    app.task(settle)
    app.task(tell_events)
    add_stage(app, settings, source=Topic.CLASSIFIED, sink=Topic.CORRELATED, stage=stage)
    return app


def _messages(associations: Sequence[Association]) -> list[Message]:
    return [Message(a.to_json(), key=a.key) for a in associations]
