"""Fixture ``database``: a real database server for a test session, in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.local.database_server import LocalDatabase, find_database_program
from shared.local.server_process import LocalServerError, free_port


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDatabase]:
    """A running server; ``database.uri`` is its address. Tests name their databases apart."""
    try:
        find_database_program()
    except LocalServerError as error:
        pytest.skip(f"no local database: {error}")
    folder = tmp_path_factory.mktemp("database")
    server = LocalDatabase(
        directory=folder, port=free_port(), log_file=folder / "database.log", cache_mib=128
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
