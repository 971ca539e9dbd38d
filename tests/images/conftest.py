"""The images of every service, built once for a session, and the servers that they need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.kafka.admin import ensure_topics, mesh_topics, survey_topics
from shared.settings import ServiceSettings
from tests.images.engine import Engine

TOOLS = ("buildah", "podman", "runc", "mmdebstrap")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Needs root and Debian's packages; ``TOCSIN_TEST_IMAGES=FOLDER`` keeps the store there."""
    asked = os.environ.get("TOCSIN_TEST_IMAGES")
    if not asked:
        pytest.skip("make test-images builds them; it takes minutes")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing or TOOLS)}")
    kept = Path(asked) if asked != "1" else None
    made = Engine(kept or tmp_path_factory.mktemp("images"))
    made.make_base()
    yield made
    if kept is None:
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
async def settings(kafka: Any, database: Any, request: pytest.FixtureRequest) -> ServiceSettings:
    """Topics and a database of the test's own."""
    name = request.node.name.translate(str.maketrans("[]_", "---")).strip("-")
    made = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"{name}.",
        survey_topics=f"ztf={name}.ztf_alerts",
        database_uri=database.uri, database_name=name[-30:].strip("-"),
    )  # fmt: skip
    await ensure_topics(made, [*mesh_topics(made), *survey_topics(made)])
    return made


@pytest.fixture
def variables(settings: ServiceSettings) -> dict[str, str]:
    """The same as a container is told it."""
    return {
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_SURVEY_TOPICS": settings.survey_topics,
        "TOCSIN_DATABASE_URI": settings.database_uri.get_secret_value(),
        "TOCSIN_DATABASE_NAME": settings.database_name,
    }
