"""How every client of ours reaches Kafka: address, encryption, and who it says it is.

aiokafka's keywords and librdkafka's properties; Faust's are in ``faust_connection.py``, so that
commands need not import Faust.
"""

from __future__ import annotations

import ssl
from typing import Any

from shared.settings import ServiceSettings


def aiokafka_connection(settings: ServiceSettings) -> dict[str, Any]:
    """Keywords of aiokafka's consumers, producers and admin clients."""
    keywords: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap_servers}
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return keywords
    keywords["security_protocol"] = protocol
    if protocol.endswith("SSL"):
        keywords["ssl_context"] = ssl_context(settings)
    if protocol.startswith("SASL"):
        keywords |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return keywords


def librdkafka_connection(settings: ServiceSettings) -> dict[str, Any]:
    """Properties of confluent_kafka's clients."""
    properties: dict[str, Any] = {"bootstrap.servers": settings.kafka_bootstrap_servers}
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return properties
    properties["security.protocol"] = protocol
    if protocol.endswith("SSL") and settings.kafka_ca_file is not None:
        properties["ssl.ca.location"] = str(settings.kafka_ca_file)
    if protocol.startswith("SASL"):
        properties |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return properties


def ssl_context(settings: ServiceSettings) -> ssl.SSLContext:
    """Trusts the brokers' own authority where one is named, else the system's."""
    ca = settings.kafka_ca_file
    return ssl.create_default_context(cafile=str(ca) if ca is not None else None)
