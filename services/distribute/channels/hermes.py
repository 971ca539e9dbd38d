"""HERMES: messages on SCiMMA's Kafka in the wire format of hop-client.

A HERMES message is JSON (github.com/LCOGT/hermes, serializers.py: title, topic, submitter,
authors, message_text, data with targets and photometry); hop marks it with the headers ``_id``,
``_sender``, ``_test`` and ``_format`` (hop-client 0.13, hop/io.py and hop/models.py). The ``_id``
is the delivery's own, so before one in doubt is repeated, the topic's end is searched for it.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from services.distribute.channels.base import Destination, Outcome, Parcel, PeerAwayError
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.wording import summary
from shared.light_curves.photometry import magnitude_ab_of, mjd_utc_of_tai
from shared.subscriptions.channel_settings import ChannelSettings, HermesSettings

_SEARCHED = 2000
"""Messages at the end of each partition that are searched for a delivery in doubt."""
_IDLE_FETCHES = 10


def hermes_message(settings: HermesSettings, parcel: Parcel) -> dict[str, Any]:
    """The message about an alert or an association; nothing that is null."""
    document = parcel.document
    name = parcel.object_id or parcel.subject
    data: dict[str, Any] = {
        "references": [],
        "extra_data": {"tocsin_source": parcel.source, "tocsin_subject": parcel.subject},
    }
    ra_deg, dec_deg = document.get("ra_deg"), document.get("dec_deg")
    if ra_deg is not None and dec_deg is not None:
        data["targets"] = [{"name": name, "ra": ra_deg, "dec": dec_deg}]
        photometry = _photometry(name, document)
        if photometry is not None:
            data["photometry"] = [photometry]
    if document.get("event_id"):
        data["event_id"] = document["event_id"]
    return {
        "title": f"{settings.title}: {name}",
        "topic": settings.topic,
        "submitter": settings.submitter,
        "authors": settings.authors,
        "message_text": summary(document),
        "data": data,
    }


def _photometry(name: str, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The alert's own detection, AB magnitudes."""
    flux_njy, mjd_tai = document.get("flux_njy"), document.get("mjd_tai")
    if not flux_njy or flux_njy <= 0 or mjd_tai is None or not document.get("band"):
        return None
    point = {
        "target_name": name,
        "date_obs": f"{float(mjd_utc_of_tai(mjd_tai)):.6f}",
        "telescope": document.get("survey"),
        "bandpass": document["band"],
        "brightness": round(float(magnitude_ab_of(flux_njy)), 4),
        "brightness_unit": "AB mag",
    }
    error_njy = document.get("flux_err_njy")
    if error_njy:
        point["brightness_error"] = round(1.0857362 * error_njy / flux_njy, 4)
    return {key: value for key, value in point.items() if value is not None}


class HermesChannel:
    """Publishes one message per alert; a producer per account."""

    name = "hermes"
    most_at_once = 20
    once_per_object = False
    doubt_s = 0.0

    def __init__(self, settings: CourierSettings) -> None:
        self._servers = settings.hermes_bootstrap_servers
        self._protocol = settings.hermes_security_protocol
        self._timeout_ms = int(1000 * settings.courier_timeout_s)
        self._producers: dict[str, AIOKafkaProducer] = {}

    def waits_s(self, settings: ChannelSettings) -> float:
        """At once."""
        return 0.0

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """See ``channels.base``."""
        producer = await self._producer(to)
        return [await self._publish(producer, to, parcel) for parcel in parcels]

    async def _publish(
        self, producer: AIOKafkaProducer, to: Destination, parcel: Parcel
    ) -> Outcome:
        assert isinstance(to.settings, HermesSettings)  # noqa: S101  # by the registry of settings
        headers = [
            ("_id", uuid.UUID(parcel.idempotency_key).bytes),
            ("_sender", to.settings.submitter.encode()),
            ("_format", b"json"),
        ]
        if to.settings.is_test:
            headers.append(("_test", b"true"))
        value = orjson.dumps(hermes_message(to.settings, parcel))
        try:
            await producer.send_and_wait(to.settings.topic, value, headers=headers)
        except MessageSizeTooLargeError as error:
            return Outcome("failed", f"too large: {error}")
        except TopicAuthorizationFailedError:
            return Outcome("failed", "the account may not write to this topic")
        except (KafkaError, OSError) as error:
            await self._drop(to)
            raise PeerAwayError(f"{type(error).__name__}", in_doubt=True) from error
        return Outcome("confirmed", reference=parcel.idempotency_key)

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """Search the end of the topic for the deliveries' ids."""
        assert isinstance(to.settings, HermesSettings)  # noqa: S101  # by the registry of settings
        consumer = AIOKafkaConsumer(
            to.settings.topic, **self._connection(to), enable_auto_commit=False,
            request_timeout_ms=self._timeout_ms,
        )  # fmt: skip
        try:
            await consumer.start()
            found = await _ids(consumer, to.settings.topic)
        except (KafkaError, OSError) as error:
            raise PeerAwayError(f"{type(error).__name__}") from error
        finally:
            await consumer.stop()
        return [
            Outcome("confirmed", "found on the topic", p.idempotency_key)
            if uuid.UUID(p.idempotency_key).bytes in found
            else None
            for p in parcels
        ]

    async def _producer(self, to: Destination) -> AIOKafkaProducer:
        if to.subscription_id not in self._producers:
            producer = AIOKafkaProducer(
                **self._connection(to), acks="all", enable_idempotence=True,
                request_timeout_ms=self._timeout_ms, max_request_size=4 * 1024 * 1024,
            )  # fmt: skip
            try:
                await producer.start()
            except (KafkaConnectionError, KafkaError, OSError) as error:
                await producer.stop()
                raise PeerAwayError(f"no connection: {type(error).__name__}") from error
            self._producers[to.subscription_id] = producer
        return self._producers[to.subscription_id]

    def _connection(self, to: Destination) -> dict[str, Any]:
        keywords: dict[str, Any] = {
            "bootstrap_servers": self._servers, "security_protocol": self._protocol,
        }  # fmt: skip
        if self._protocol.endswith("SSL"):
            keywords["ssl_context"] = ssl.create_default_context()
        if self._protocol.startswith("SASL") and to.secret is not None:
            user, _, password = to.secret.get_secret_value().partition(":")
            keywords |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": user,
                "sasl_plain_password": password,
            }
        return keywords

    async def _drop(self, to: Destination) -> None:
        producer = self._producers.pop(to.subscription_id, None)
        if producer is not None:
            await producer.stop()

    async def close(self) -> None:
        """Close all connections."""
        producers, self._producers = [*self._producers.values()], {}
        for producer in producers:
            await producer.stop()


async def _ids(consumer: AIOKafkaConsumer, topic: str) -> set[bytes]:
    """The ``_id`` headers at the end of a topic."""
    places = [
        TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
    ]
    if not places:  # "not known" must never pass for "not there"
        raise PeerAwayError("the topic's partitions are not known")
    firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    waiting = {tp: end for tp, end in ends.items() if end > firsts[tp]}
    found: set[bytes] = set()
    if not waiting:
        return found
    consumer.unsubscribe()
    consumer.assign([*waiting])
    for tp, end in waiting.items():
        consumer.seek(tp, max(firsts[tp], end - _SEARCHED))
    idle = 0
    while waiting:
        fetched = await consumer.getmany(timeout_ms=1000)
        idle = 0 if fetched else idle + 1
        if idle > _IDLE_FETCHES:
            raise PeerAwayError("nothing comes from the topic")
        for messages in fetched.values():
            found |= {value for m in messages for key, value in m.headers if key == "_id"}
        waiting = {tp: end for tp, end in waiting.items() if await consumer.position(tp) < end}
    return found
