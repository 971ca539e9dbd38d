"""One running mesh for the whole session: it takes half a minute to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.local.database_server import find_database_program
from shared.local.kafka_distribution import find_kafka
from shared.local.server_process import LocalServerError
from tests.system.mesh import RunningMesh


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh of its own, everything in it started by ``tocsin up``; tests add to it in turn."""
    try:
        find_kafka()
        find_database_program()
    except LocalServerError as error:
        pytest.skip(f"no local servers: {error}")
    running = RunningMesh(
        tmp_path_factory.mktemp("mesh"),
        learning_enabled=True,
        learning_reference_alerts=300,
        receive_folder=tmp_path_factory.mktemp("notices"),
    )
    try:
        running.start()
        yield running
    finally:
        running.down()
