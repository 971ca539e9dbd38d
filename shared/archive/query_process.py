"""``python -m shared.archive.query_process``: one query in a process of its own.

The question comes as JSON on standard input, the answer goes to an Arrow IPC file, and a line of
JSON on standard output says what became of it. ``run_query_apart`` is the other end.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from shared.archive.query import (
    MOST_ROWS,
    QUERY_LIMITS,
    QueryFailedError,
    Question,
    run_query,
)
from shared.archive.readers import Reader
from shared.filters.apart import ApartFailedError, answer_apart, ask_apart
from shared.filters.guard import Limits


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """What a query gave, in ``path`` as an Arrow IPC file."""

    path: Path
    rows: int
    is_cut: bool
    """There was more than the most rows asked for."""
    seconds: float


async def run_query_apart(
    root: Path,
    question: Question,
    output: Path,
    limits: Limits = QUERY_LIMITS,
    *,
    most_rows: int = MOST_ROWS,
) -> AnswerFile:
    """``run_query`` in a process of its own, whose memory the system limits.

    Cancelling kills the process.

    Raises
    ------
    FilterRefusedError, QueryFailedError
        As ``run_query``.
    """
    asked = {
        "root": str(root),
        "sql": question.sql,
        "reader": {
            "name": question.reader.name,
            "groups": sorted(question.reader.groups),
            "is_operator": question.reader.is_operator,
        },
        "private_surveys": [[name, sorted(groups)] for name, groups in question.private_surveys],
        "surveys": question.surveys,
        "nights": question.nights,
        "memory_mib": limits.memory_mib,
        "seconds": limits.seconds,
        "threads": limits.threads,
        "most_rows": most_rows,
        "output": str(output),
    }
    try:
        told = await ask_apart(
            "shared.archive.query_process",
            json.dumps(asked).encode(),
            text=question.sql,
            seconds=limits.seconds,
        )
    except ApartFailedError as error:
        raise QueryFailedError(str(error)) from error
    return AnswerFile(output, told["rows"], told["is_cut"], told["seconds"])


def main() -> int:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    return answer_apart(asked["memory_mib"], lambda: _outcome(asked))


def _outcome(asked: dict[str, Any]) -> dict[str, Any]:
    reader = asked["reader"]
    question = Question(
        sql=asked["sql"],
        reader=Reader(reader["name"], frozenset(reader["groups"]), reader["is_operator"]),
        private_surveys=tuple((name, frozenset(of)) for name, of in asked["private_surveys"]),
        surveys=tuple(asked["surveys"]),
        nights=None if asked["nights"] is None else tuple(asked["nights"]),
    )
    limits = Limits(asked["memory_mib"], asked["seconds"], asked["threads"])
    answer = run_query(Path(asked["root"]), question, limits, most_rows=asked["most_rows"])
    partial = Path(asked["output"]).with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, answer.table.schema) as out:
        out.write_table(answer.table)
    partial.replace(asked["output"])
    return {"rows": answer.table.num_rows, "is_cut": answer.is_cut, "seconds": answer.seconds}


if __name__ == "__main__":
    sys.exit(main())
