"""The memory of recent alerts, read again from envelopes."""

import numpy as np
import pyarrow as pa
import pytest

from services.ingest.recall import Recall
from services.ingest.recent import DUPLICATE, NEW, SENT_BEFORE, RecentAlerts, keys_of, origins_of
from shared.errors import UpstreamUnavailableError
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Record
from shared.testing.batches import made_up_batch

SENT = 300


class Topic:
    """One partition of envelopes of ten alerts, read backwards four at a time."""

    def __init__(self, envelopes):
        self.records = [Record("alerts", 0, i, 0, None, v) for i, v in enumerate(envelopes)]
        self.chunks_read = 0

    def backwards(self, floors, seconds):
        assert seconds == 5.0
        stop, floor = len(self.records), floors.get(0, 0)
        while stop > floor:
            first = max(floor, stop - 4)
            self.chunks_read += 1
            yield self.records[first:stop]
            stop = first


def envelopes(first, stop):
    return [write_envelope(made_up_batch(10, first_offset=i)) for i in range(first, stop, 10)]


def verdicts(recent, numbers, moved=0):
    batch = made_up_batch(1)
    topic = batch.strings("origin_topic")[0]
    ids = [made_up_batch(1, first_offset=n).strings("alert_id")[0] for n in numbers]
    offsets = [int(made_up_batch(1, first_offset=n).integers("origin_offset")[0]) for n in numbers]
    partition = int(batch.integers("origin_partition")[0])
    n = len(ids)
    return recent.judge(
        keys_of(batch.survey, pa.array(ids)),
        origins_of([topic] * n, np.full(n, partition), np.array(offsets) + moved),
    ).tolist()


async def test_what_was_sent_before_is_known_again():
    topic, recent = Topic(envelopes(0, SENT)), RecentAlerts(1000)
    await Recall(recent, topic.backwards, 1000, 5.0).refresh()
    assert verdicts(recent, [0, SENT - 1]) == [SENT_BEFORE, SENT_BEFORE]
    assert verdicts(recent, [0, SENT - 1], moved=7) == [DUPLICATE, DUPLICATE]
    assert verdicts(recent, [SENT]) == [NEW]


async def test_the_newest_are_kept_where_the_window_is_small():
    topic, recent = Topic(envelopes(0, SENT)), RecentAlerts(100)
    await Recall(recent, topic.backwards, 100, 5.0).refresh()
    assert verdicts(recent, [SENT - 1, SENT - 50, 0]) == [SENT_BEFORE, SENT_BEFORE, NEW]
    assert topic.chunks_read == 3


async def test_read_once_until_partitions_move():
    topic, recent = Topic(envelopes(0, 100)), RecentAlerts(1000)
    recall = Recall(recent, topic.backwards, 1000, 5.0)
    await recall.refresh()
    topic.records += Topic(envelopes(0, SENT)).records[10:]  # by another worker
    await recall.refresh()
    assert verdicts(recent, [SENT - 1]) == [NEW]
    recall.moved()
    before = topic.chunks_read
    await recall.refresh()
    assert verdicts(recent, [100, SENT - 1]) == [SENT_BEFORE, SENT_BEFORE]
    assert topic.chunks_read - before == 5  # the twenty new ones, not those before


async def test_ends_where_nothing_is_news():
    topic, recent = Topic(envelopes(0, 40)), RecentAlerts(1000)
    recall = Recall(recent, topic.backwards, 1000, 5.0)
    await recall.refresh()
    own = envelopes(40, SENT)
    topic.records += Topic([*envelopes(0, 40), *own]).records[4:]
    for first in range(40, SENT, 10):
        batch = made_up_batch(10, first_offset=first)
        recent.remember(
            keys_of(batch.survey, batch.column("alert_id")),
            origins_of(
                batch.strings("origin_topic"),
                batch.integers("origin_partition"),
                batch.integers("origin_offset"),
            ),
        )
    recall.moved()
    before = topic.chunks_read
    await recall.refresh()
    assert topic.chunks_read - before == 1


async def test_what_is_no_envelope_is_left_out():
    topic, recent = Topic([b"noise", *envelopes(0, 20), b""]), RecentAlerts(1000)
    await Recall(recent, topic.backwards, 1000, 5.0).refresh()
    assert verdicts(recent, [0, 19]) == [SENT_BEFORE, SENT_BEFORE]


async def test_asked_again_while_kafka_is_away():
    topic, recent = Topic(envelopes(0, 20)), RecentAlerts(1000)
    outages = [1]

    def backwards(floors, seconds):
        if outages.pop() if outages else 0:
            raise UpstreamUnavailableError("away")
        yield from topic.backwards(floors, seconds)

    recall = Recall(recent, backwards, 1000, 5.0)
    with pytest.raises(UpstreamUnavailableError):
        await recall.refresh()
    await recall.refresh()
    assert verdicts(recent, [0]) == [SENT_BEFORE]
