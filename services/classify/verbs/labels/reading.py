"""Reads labels for the verbs: from the archive's database, or as of a day."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from services.classify.settings import ClassifySettings
from shared.labels.reading import read_labels
from shared.schemas.label import Label
from shared.store import open_store


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """The option ``--as-of``."""
    parser.add_argument(
        "--as-of", type=moment_ms, metavar="TIME",
        help="what was known then: ISO 8601, UTC unless it says otherwise",
    )  # fmt: skip


def moment_ms(text: str) -> int:
    """A moment as Unix milliseconds; raises ``argparse.ArgumentTypeError``."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 time") from error
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(milliseconds: int) -> str:
    """Unix milliseconds as UTC text."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def labels_of(object_ids: Sequence[str] | None, as_of_ms: int | None) -> list[Label]:
    """Labels of some objects, or all, from the database."""

    async def read() -> list[Label]:
        store = open_store(ClassifySettings())
        try:
            return await read_labels(store, object_ids, as_of_ms=as_of_ms)
        finally:
            store.close()

    return asyncio.run(read())
