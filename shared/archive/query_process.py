"""``python -m shared.archive.query_process``: one query in a process of its own.

The question comes as JSON on standard input, the answer goes to an Arrow IPC file, and a line of
JSON on standard output says what became of it. ``run_query_apart`` is the other end.
"""

from __future__ import annotations

import asyncio
import json
import resource
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
from shared.errors import TocsinError
from shared.filters.guard import Limits
from shared.filters.refusal import FilterRefusedError

BESIDE_MIB = 4096
"""Address space beyond the query's memory: libraries, reserved and never touched."""
_START_S = 30.0


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
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shared.archive.query_process",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.seconds + _START_S):
            told, _ = await process.communicate(json.dumps(asked).encode())
    except TimeoutError as error:
        raise QueryFailedError(f"stopped after {limits.seconds:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _answer(told, question, output, limits)


def _answer(told: bytes, question: Question, output: Path, limits: Limits) -> AnswerFile:
    try:
        outcome = json.loads(told)
    except ValueError as error:
        raise QueryFailedError(
            f"its process was stopped: it may need more than {limits.memory_mib} MiB of memory"
        ) from error
    if "refused" in outcome:
        refused = outcome["refused"]
        raise FilterRefusedError(
            refused["why"], refused["position"], text=question.sql, hint=refused["hint"]
        )
    if "failed" in outcome:
        raise QueryFailedError(outcome["failed"])
    return AnswerFile(output, outcome["rows"], outcome["is_cut"], outcome["seconds"])


def main() -> int:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    most = (asked["memory_mib"] * 2 + BESIDE_MIB) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    print(json.dumps(_outcome(asked)))
    return 0


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
    try:
        answer = run_query(Path(asked["root"]), question, limits, most_rows=asked["most_rows"])
    except FilterRefusedError as error:
        return {"refused": {"why": error.why, "position": error.position, "hint": error.hint}}
    except TocsinError as error:
        return {"failed": str(error)}
    partial = Path(asked["output"]).with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, answer.table.schema) as out:
        out.write_table(answer.table)
    partial.replace(asked["output"])
    return {"rows": answer.table.num_rows, "is_cut": answer.is_cut, "seconds": answer.seconds}


if __name__ == "__main__":
    sys.exit(main())
