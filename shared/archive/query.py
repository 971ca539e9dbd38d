"""A read-only SQL query over the archive's Parquet: judged, limited, and told where it is wrong.

``run_query`` works in this process, which should be one of its own (``tocsin archive query``);
``run_query_apart`` starts one, whose memory the system limits: DuckDB does not count every byte.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pyarrow as pa

from shared.archive.readers import ANYBODY, Reader
from shared.archive.relations import RELATION_NAMES, create_relations
from shared.archive.snapshots import Snapshot, snapshots_for
from shared.errors import TocsinError
from shared.filters.guard import JudgedQuery, Limits, judge_query, locked_connection
from shared.filters.refusal import FilterRefusedError

QUERY_LIMITS = Limits(memory_mib=1024, seconds=120.0, threads=2)
MOST_ROWS = 1_000_000
MOST_BYTES = 1 << 30
"""Bytes of an answer beyond which its rows are left out."""
_PROGRESS_S = 0.2


class QueryFailedError(TocsinError):
    """A query that was accepted ran out of time or memory, or met what it cannot compute."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and what of the archive it is about."""

    sql: str
    reader: Reader = ANYBODY
    private_surveys: tuple[tuple[str, frozenset[str]], ...] = ()
    """Groups that private surveys are for."""
    surveys: tuple[str, ...] = ()
    """Only these; none means all that the reader may see."""
    nights: tuple[int, ...] | None = None
    """Only these; None means all. Fewer nights mean fewer files to open."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave."""

    table: pa.Table
    is_cut: bool
    """There was more than the most rows asked for, or than ``MOST_BYTES``."""
    seconds: float


def run_query(
    root: Path,
    question: Question,
    limits: Limits = QUERY_LIMITS,
    *,
    most_rows: int = MOST_ROWS,
    progress: Callable[[float], None] | None = None,
) -> Answer:
    """Answer a query over the archive.

    Parameters
    ----------
    root
        Of the archive's Parquet (``archive_root``).
    question
        The query, and who asks.
    limits
        Memory, time and threads.
    most_rows
        Rows beyond these are left out.
    progress
        Told the share done, in [0, 1], now and then, from another thread.

    Raises
    ------
    FilterRefusedError
        If the query is not allowed, or names what is not there: with line, column and hint.
    QueryFailedError
        If it runs out of time or memory, or fails.
    ArchiveDamagedError
        If a manifest cannot be read.
    """
    started = time.perf_counter()
    judged = judge_query(question.sql, RELATION_NAMES)
    snapshots = snapshots_for(
        root, question.reader, dict(question.private_surveys), question.surveys
    )
    with archive_connection(snapshots, question.reader, limits, nights=question.nights) as opened:
        _bind(opened, judged, limits)
        with _watched(opened, progress):
            try:
                table, is_cut = _gathered(opened.sql(judged.sql).to_arrow_reader(), most_rows)
            except (duckdb.Error, MemoryError) as error:
                raise query_failure(error, limits) from error
    return Answer(table, is_cut, time.perf_counter() - started)


@contextlib.contextmanager
def archive_connection(
    snapshots: Sequence[Snapshot],
    reader: Reader,
    limits: Limits,
    *,
    nights: Collection[int] | None = None,
    cells29: Sequence[tuple[int, int]] | None = None,
) -> Iterator[Any]:
    """A DuckDB connection with the archive's relations, that reaches nothing but these snapshots.

    Give it judged queries only, and snapshots of surveys that ``reader`` may see.
    """
    folders = [snapshot.folder for snapshot in snapshots]
    connection = locked_connection(limits, explains=True, folders=folders)
    try:
        create_relations(connection, snapshots, reader, nights, cells29)
        yield connection
    finally:
        connection.close()


def _gathered(reader: pa.RecordBatchReader, most_rows: int) -> tuple[pa.Table, bool]:
    """The first rows of an answer, and whether there were more."""
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows > most_rows or size > MOST_BYTES:
            break
    table = pa.Table.from_batches(batches, reader.schema)
    return table.slice(0, most_rows), rows > most_rows or size > MOST_BYTES


def _bind(connection: Any, judged: JudgedQuery, limits: Limits) -> None:
    """Refuse what names a column or function that is not there, and say where."""
    try:
        connection.execute(f"EXPLAIN {judged.sql}")
    except (duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
        raise query_failure(error, limits) from error  # nothing wrong with the text
    except duckdb.Error as error:
        told = _told(error)
        place = max(0, int(told.get("position", 0)) - len("EXPLAIN "))
        characters = len(judged.sql.encode()[:place].decode(errors="ignore"))
        position = characters if judged.sql == judged.text else 0
        why = " ".join(str(told["exception_message"]).split())
        raise FilterRefusedError(why, position, text=judged.text) from error


def query_failure(error: BaseException, limits: Limits) -> QueryFailedError:
    """What DuckDB says went wrong, in words for who asked."""
    if isinstance(error, duckdb.InterruptException):
        return QueryFailedError(
            f"stopped after {limits.seconds:g} s; ask for fewer nights or columns"
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return QueryFailedError(
            f"needs more than {limits.memory_mib} MiB of memory; ask for fewer rows or groups"
        )
    told = _told(error) if isinstance(error, duckdb.Error) else {"exception_message": str(error)}
    return QueryFailedError(" ".join(str(told["exception_message"]).split()))


def _told(error: duckdb.Error) -> dict[str, Any]:
    """What DuckDB says, as the JSON that ``explains`` asks for."""
    text = str(error)
    with contextlib.suppress(ValueError):
        told = json.loads(text[text.index("{") :])
        if isinstance(told, dict) and "exception_message" in told:
            return told
    return {"exception_message": text.splitlines()[0] if text else type(error).__name__}


@contextlib.contextmanager
def _watched(connection: Any, progress: Callable[[float], None] | None) -> Iterator[None]:
    """Tell ``progress`` how far the connection is, until the end."""
    if progress is None:
        yield
        return
    done = Event()

    def watch() -> None:
        while not done.wait(_PROGRESS_S):
            share = connection.query_progress()
            if share >= 0:
                progress(min(1.0, share / 100.0))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
