"""Fixtures for every test: a real Kafka and a real database, started only when asked for."""

import gc

import pytest

gc.set_threshold(100_000, 50, 50)
"""Collecting thousands of tests makes millions of objects that stay: looking through them for
garbage every few hundred took a quarter of the time."""

pytest_plugins = ("shared.testing.kafka", "shared.testing.database")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was collected stays until the end: it is not looked through again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter clear up as always when it ends."""
    gc.unfreeze()
