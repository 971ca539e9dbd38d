"""A hostile or broken producer inside: what no stage of ours would write, on every river topic."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
from confluent_kafka import Producer

from services.console.account.reading import TopicReader
from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.topics import Topic
from tests.faults.base import Fault, Scene

RIVER = (Topic.ALERTS, Topic.MATCHED, Topic.CLASSIFIED, Topic.CORRELATED)
_READERS = {"xmatch", "classify", "mma", "distribute", "archive"}


class HostileEnvelopes(Fault):
    """Noise, an empty message, a cut envelope, and real alerts that lack or mistype a column."""

    name = "hostile-envelopes"
    summary = "noise, cut envelopes and envelopes with wrong columns on every river topic"

    def strike(self, scene: Scene) -> None:
        mesh = scene.mesh
        producer = Producer({"bootstrap.servers": mesh.settings.kafka_bootstrap_servers})
        for topic in RIVER:
            name = topic.named(mesh.prefix)
            envelope = _latest(scene, name)
            for value in (os.urandom(500), b"", envelope[: len(envelope) // 2], *_wrong(envelope)):
                producer.produce(name, value, partition=scene.random.randrange(2))
        producer.flush(30)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        stages = {letter.stage for letter in scene.mesh.letters()}
        silent = _READERS - stages
        return [f"{', '.join(sorted(silent))} set nothing aside"] if silent else []


def _latest(scene: Scene, topic: str) -> bytes:
    with TopicReader(scene.mesh.settings) as reader:
        extent = max(reader.extents(topic), key=lambda e: e.end)
        return [r.value for r in reader.records([extent])][-1]


def _wrong(envelope: bytes) -> list[bytes]:
    """The same alerts without their positions, and with texts for fluxes."""
    batch = read_envelope(envelope).record_batch
    without = batch.drop_columns(["ra_deg", "dec_deg", "healpix29"])
    at = batch.schema.get_field_index("flux_njy")
    texts = pa.array(["bright"] * batch.num_rows)
    mistyped = batch.set_column(at, pa.field("flux_njy", pa.string()), texts)
    return [write_envelope(AlertBatch(b)) for b in (without, mistyped)]
