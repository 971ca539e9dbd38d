"""Each message is on its topic exactly once, whatever fails in between."""

from collections import defaultdict

import pytest
from prometheus_client import CollectorRegistry

from services.distribute.channels import channels
from services.distribute.deliver import DELIVERY_ID
from services.distribute.delivered import Delivered
from services.distribute.dispatch import Dispatch
from services.distribute.metrics import DistributeMetrics
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Message


class FakeKafka:
    """Topics as lists of delivery ids per partition."""

    def __init__(self):
        self.topics = defaultdict(list)
        self.tails_read = []
        self.down = set()

    async def send(self, topic, messages):
        if topic in self.down:
            raise UpstreamUnavailableError(topic)
        for m in messages:
            self.topics[(topic, m.partition)].append(dict(m.headers)[DELIVERY_ID])

    async def read_tail(self, places, count):
        self.tails_read += places
        return {place: list(self.topics[place])[-count:] for place in places}

    def worker(self, window=100):
        registry = CollectorRegistry()
        metrics = DistributeMetrics(registry)
        dispatch = Dispatch(channels(self.send), Delivered(window, self.read_tail), metrics)
        return dispatch, registry


def messages(ids, partition=0):
    return [Message(b"x", None, partition, ((DELIVERY_ID, f"{i}".encode()),)) for i in ids]


def ids(numbers):
    return [f"{i}".encode() for i in numbers]


async def test_a_repeat_within_a_worker_is_not_sent():
    kafka = FakeKafka()
    dispatch, registry = kafka.worker()
    assert await dispatch.send({"a": messages(range(5))}) == 5
    assert await dispatch.send({"a": messages(range(3, 8))}) == 3
    assert kafka.topics[("a", 0)] == ids(range(8))
    assert registry.get_sample_value("tocsin_delivery_repeats_total", {"destination": "a"}) == 2


async def test_partitions_that_move_during_a_send_leave_no_half_memory():
    """What is acknowledged after forgetting must not pass for all that was delivered."""
    kafka = FakeKafka()
    dispatch, _ = kafka.worker()
    await dispatch.send({"a": messages(range(5))})
    send = kafka.send

    async def send_while_partitions_move(topic, some):
        dispatch.forget()
        await send(topic, some)

    moving = Dispatch(channels(send_while_partitions_move), dispatch._delivered, dispatch._metrics)
    assert await moving.send({"a": messages(range(5, 8))}) == 3
    assert await dispatch.send({"a": messages(range(8))}) == 0  # none was committed
    assert kafka.topics[("a", 0)] == ids(range(8))


async def test_partitions_that_move_while_topics_are_read_are_read_again():
    kafka = FakeKafka()
    dispatch, _ = kafka.worker()
    read_tail = kafka.read_tail

    async def read_while_partitions_move(places, count):
        found = await read_tail(places, count)
        if len(kafka.tails_read) == 1:
            dispatch.forget()
            kafka.topics[("a", 0)] += ids(range(3))  # by another worker
        return found

    dispatch._delivered._read_tail = read_while_partitions_move
    assert await dispatch.send({"a": messages(range(5))}) == 2
    assert kafka.topics[("a", 0)] == ids(range(5))


async def test_a_new_worker_knows_what_the_old_one_sent():
    kafka = FakeKafka()
    await kafka.worker()[0].send({"a": messages(range(5)), "b": messages([1], 1)})
    new, _ = kafka.worker()
    assert await new.send({"a": messages(range(7)), "b": messages([1, 2], 1)}) == 3
    assert kafka.topics[("a", 0)] == ids(range(7))
    assert kafka.topics[("b", 1)] == ids([1, 2])


async def test_the_tail_is_read_once_until_partitions_move():
    kafka = FakeKafka()
    dispatch, _ = kafka.worker()
    for i in range(3):
        await dispatch.send({"a": messages([i])})
    assert kafka.tails_read == [("a", 0)]
    dispatch.forget()
    await kafka.worker()[0].send({"a": messages([3, 4])})
    assert await dispatch.send({"a": messages(range(6))}) == 1
    assert kafka.topics[("a", 0)] == ids(range(6))


async def test_a_repeat_within_one_take_is_sent_once():
    kafka = FakeKafka()
    assert await kafka.worker()[0].send({"a": messages([1, 1, 2])}) == 2


async def test_what_failed_is_sent_again_and_what_did_not_is_not():
    kafka = FakeKafka()
    dispatch, _ = kafka.worker()
    kafka.down = {"b"}
    outgoing = {"a": messages([1]), "b": messages([1]), "c": messages([1])}
    with pytest.raises(UpstreamUnavailableError):
        await dispatch.send(outgoing)
    kafka.down = set()
    assert await dispatch.send(outgoing) == 1
    assert all(kafka.topics[(topic, 0)] == [b"1"] for topic in "abc")


async def test_what_arrived_without_a_word_is_not_sent_again():
    kafka = FakeKafka()
    dispatch, _ = kafka.worker()
    await dispatch.send({"a": messages([0])})

    async def arrives_but_fails(topic, sent):
        await FakeKafka.send(kafka, topic, sent)
        raise UpstreamUnavailableError("the broker died before it could acknowledge")

    dispatch._channels = channels(arrives_but_fails)
    with pytest.raises(UpstreamUnavailableError):
        await dispatch.send({"a": messages([1, 2])})
    dispatch._channels = channels(kafka.send)
    assert await dispatch.send({"a": messages([1, 2, 3])}) == 1
    assert kafka.topics[("a", 0)] == ids(range(4))


async def test_the_memory_is_bounded():
    kafka = FakeKafka()
    dispatch, _ = kafka.worker(window=10)
    await dispatch.send({"a": messages(range(100))})
    assert await dispatch.send({"a": messages(range(90, 100))}) == 0
    assert await dispatch.send({"a": messages([0])}) == 1
