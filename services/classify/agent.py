"""Kafka's side of classify: ``alerts.matched`` in, ``alerts.classified`` out."""

from __future__ import annotations

from services.classify.classifiers import load_classifiers
from services.classify.classify import classify
from services.classify.features.early import warm_up
from services.classify.metrics import ClassifyMetrics
from services.classify.settings import ClassifySettings
from shared.alert_batch import AlertBatch
from shared.kafka import app as kafka
from shared.kafka.river import add_stage
from shared.kafka.topics import Topic


def create_app(
    settings: ClassifySettings, beside: kafka.ServiceApp | None = None
) -> kafka.ServiceApp:
    """The worker, its models loaded and verified, its kernels compiled."""
    app = kafka.create_app("classify", settings, beside)
    warm_up()
    classifiers = load_classifiers(settings.classify_models)
    for classifier in classifiers:
        classifier.warm_up()
    metrics = ClassifyMetrics(app.metrics.registry)

    def stage(batch: AlertBatch) -> AlertBatch:
        classified = classify(batch, classifiers)
        metrics.count(classified)
        return classified

    add_stage(app, settings, source=Topic.MATCHED, sink=Topic.CLASSIFIED, stage=stage)
    return app
