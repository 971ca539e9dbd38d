"""How Faust reaches Kafka; see ``connection.py``."""

from __future__ import annotations

from typing import Any

import faust
from faust.auth import Credentials

from shared.kafka.connection import ssl_context
from shared.settings import ServiceSettings


def faust_connection(settings: ServiceSettings) -> dict[str, Any]:
    """Faust's ``broker`` and ``broker_credentials``."""
    servers = settings.kafka_bootstrap_servers.split(",")
    broker = ";".join(f"kafka://{server.strip()}" for server in servers)
    credentials = _faust_credentials(settings)
    return {"broker": broker} | ({"broker_credentials": credentials} if credentials else {})


def _faust_credentials(settings: ServiceSettings) -> Credentials | None:
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = ssl_context(settings) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context=context)
    return faust.SASLCredentials(
        username=settings.kafka_username,
        password=settings.kafka_password.get_secret_value(),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )
