"""GCN's Kafka, or any Kafka with notices: classic VOEvents, JSON notices, ``igwn.gwalert``.

OAuth client credentials by librdkafka itself (OIDC), which renews tokens. Offsets are committed
only after the intake has the notice in our own Kafka: a restart reads again what was not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from services.mma.receivers.intake import Take
from services.mma.receivers.settings import ReceiverSettings

log = structlog.get_logger()
_BATCH = 100
_POLL_S = 1.0
_RETRY_S = 5.0
HEARTBEAT_TOPIC = "gcn.heartbeat"
"""One message a second, no notice: what tells a quiet night from a broken line."""


def consumer_settings(settings: ReceiverSettings) -> dict[str, Any]:
    """What librdkafka is told."""
    told: dict[str, Any] = {
        "bootstrap.servers": settings.gcn_bootstrap_servers,
        "group.id": settings.gcn_group_id or settings.gcn_client_id or "tocsin",
        "client.id": "tocsin-mma",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.message.max.bytes": 8 * 1024 * 1024,
        # Topics of missions that have not begun are not there yet.
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 60_000,
    }
    if settings.gcn_client_id:
        told |= {
            "security.protocol": settings.gcn_security_protocol,
            "sasl.mechanisms": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": settings.gcn_client_id,
            "sasl.oauthbearer.client.secret": settings.gcn_client_secret.get_secret_value(),
            "sasl.oauthbearer.token.endpoint.url": settings.gcn_token_url,
        }
        if settings.gcn_scope:
            told["sasl.oauthbearer.scope"] = settings.gcn_scope
    return told


async def receive(settings: ReceiverSettings, take: Take) -> None:
    """Follow the topics for ever; ends only when it is cancelled."""
    topics = settings.gcn_topic_names()
    while True:
        consumer = Consumer(consumer_settings(settings))
        try:
            consumer.subscribe([*topics])
            log.info("gcn_kafka_follows", servers=settings.gcn_bootstrap_servers, topics=topics)
            await _follow(consumer, take)
        except KafkaException as error:
            log.warning("gcn_kafka_retry", error=str(error), in_s=_RETRY_S)
        finally:
            await asyncio.to_thread(consumer.close)
        await asyncio.sleep(_RETRY_S)


async def _follow(consumer: Consumer, take: Take) -> None:
    while True:
        messages = await asyncio.to_thread(consumer.consume, _BATCH, _POLL_S)
        for message in messages:
            await _take_one(message, take)
        done = [m for m in messages if m.error() is None]
        if done:
            await asyncio.to_thread(_commit, consumer, done)


async def _take_one(message: Message, take: Take) -> None:
    error = message.error()
    if error is not None:
        is_missing = error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        log.log(20 if is_missing else 30, "gcn_kafka_says", error=error.str())
        return
    topic = str(message.topic())
    if topic != HEARTBEAT_TOPIC:
        await take(topic, message.value() or b"")


def _commit(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Commit behind the last message of each partition."""
    for message in {(m.topic(), m.partition()): m for m in messages}.values():
        consumer.commit(message=message, asynchronous=False)
