"""Kafka's side of classify: ``alerts.matched`` in, ``alerts.classified`` out."""

from __future__ import annotations

from services.classify.classifiers import load_classifiers
from services.classify.classify import classify
from services.classify.metrics import ClassifyMetrics
from services.classify.settings import ClassifySettings
from services.classify.warm_up import warm_up
from shared.alert_batch import AlertBatch
from shared.kafka import app as kafka
from shared.kafka.river import add_stage
from shared.kafka.topics import Topic


def create_app(
    settings: ClassifySettings, beside: kafka.ServiceApp | None = None
) -> kafka.ServiceApp:
    """The worker, its models loaded and verified, its kernels compiled."""
    app = kafka.create_app("classify", settings, beside)
    classifiers = load_classifiers(settings.classify_models)
    warm_up(classifiers)
    metrics = ClassifyMetrics(app.metrics.registry)

    def stage(batch: AlertBatch) -> AlertBatch:
        classified = classify(batch, classifiers)
        metrics.count(classified)
        return classified

    add_stage(app, settings, source=Topic.MATCHED, sink=Topic.CLASSIFIED, stage=stage)
    return app
