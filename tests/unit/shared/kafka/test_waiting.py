"""A worker that starts before its broker does not end."""

from shared.errors import UpstreamUnavailableError
from shared.kafka import waiting
from shared.settings import ServiceSettings


async def test_asks_until_a_broker_answers(monkeypatch):
    answers = iter([UpstreamUnavailableError("away"), ConnectionRefusedError("not yet"), None])
    pauses = []

    class Admin:
        def __init__(self, settings):
            assert settings.topic_prefix == "tocsin."

        async def __aenter__(self):
            answer = next(answers)
            if answer is not None:
                raise answer
            return self

        async def __aexit__(self, *_):
            pass

        async def topics(self):
            return set()

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(waiting, "KafkaAdmin", Admin)
    monkeypatch.setattr(waiting.asyncio, "sleep", sleep)
    await waiting.wait_for_kafka(ServiceSettings())
    assert pauses == [0.25, 0.5]
    assert next(answers, "all asked") == "all asked"
