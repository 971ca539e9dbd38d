"""Setting records aside: onto ``dead-letters``, acknowledged, counted."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from shared.alert_batch import AlertBatch
from shared.kafka.app import ServiceApp
from shared.kafka.envelopes import write_envelope
from shared.kafka.policy import Failure
from shared.kafka.records import Envelope, Message, Record, RejectedAlert
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import MAX_PAYLOAD_BYTES, DeadLetter
from shared.settings import ServiceSettings


async def reject(app: ServiceApp, settings: ServiceSettings, letters: Sequence[DeadLetter]) -> None:
    """Send ``letters``; back when Kafka has them. Counted by the topic they were taken from."""
    if not letters:
        return
    now_ms = int(time.time() * 1000)
    stamped = [letter.model_copy(update={"set_aside_ms": now_ms}) for letter in letters]
    messages = [Message(letter.to_json(), key=letter.key) for letter in stamped]
    await app.outbox.send(Topic.DEAD_LETTERS.named(settings.topic_prefix), messages)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for letter in letters:
        counted[letter.taken_from or letter.origin_topic][letter.reason] += 1
    for topic, reasons in counted.items():
        for reason, records in reasons.items():
            app.metrics.set_aside(topic, reason, records)


def letter_of_record(stage: str, record: Record, failure: Failure) -> DeadLetter:
    """A dead letter of a whole Kafka message, its payload kept unless it is too large."""
    fits = len(record.value) <= MAX_PAYLOAD_BYTES
    return DeadLetter(
        stage=stage, reason=failure.reason, detail=failure.detail, traceback=failure.traceback,
        origin_topic=record.topic, origin_partition=record.partition, origin_offset=record.offset,
        taken_from=record.topic, payload=record.value if fits else None,
    )  # fmt: skip


def letters_of_alerts(
    stage: str,
    taken_from: str,
    batch: AlertBatch,
    rejected: Sequence[RejectedAlert],
    traceback: str | None = None,
) -> list[DeadLetter]:
    """A dead letter for each rejected row of ``batch``; the payload is an envelope of one."""
    letters = []
    for item in rejected:
        one = batch.slice(item.row, 1)
        row = one.record_batch
        letters.append(
            DeadLetter(
                stage=stage, reason=item.reason, detail=item.detail, traceback=traceback,
                origin_topic=str(row.column("origin_topic")[0]),
                origin_partition=row.column("origin_partition")[0].as_py(),
                origin_offset=row.column("origin_offset")[0].as_py(),
                taken_from=taken_from, alert_id=str(row.column("alert_id")[0]),
                payload=write_envelope(one),
            )
        )  # fmt: skip
    return letters


def alerts_of(envelope: Envelope) -> list[Envelope]:
    """An envelope as envelopes of one alert, all with the same place in Kafka."""
    if len(envelope.batch) <= 1:
        return [envelope]
    return [
        Envelope(envelope.record, envelope.batch.slice(i, 1)) for i in range(len(envelope.batch))
    ]
