"""``tocsin archive query``: SQL over the nights that are packed as Parquet."""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import GOOD, MISUSED, guarded, nights_argument, parser, refuse
from shared.archive.answer_files import write_answer, writer_for
from shared.archive.query import MOST_ROWS, Answer, Question, run_query
from shared.archive.readers import Reader, private_surveys
from shared.archive.relations import RELATIONS
from shared.archive.snapshots import archive_root, surveys_in
from shared.filters.apart import BESIDE_MIB
from shared.filters.guard import Limits
from shared.filters.refusal import FilterRefusedError
from shared.telemetry.terminal import visible

DESCRIPTION = """\
Ask the archive: one read-only SELECT over the packed nights, with joins, aggregates and CTEs.
The functions of filters are there too: mag, cone, galactic_latitude, match_of."""
EPILOG = """\
examples:
  tocsin archive query "SELECT night, count(*) AS alerts FROM alerts GROUP BY ALL ORDER BY night"
  tocsin archive query "SELECT * FROM objects WHERE n_alerts > 20" -o objects.csv
  tocsin archive query "SELECT alert_id, flux_njy FROM alerts WHERE cone(150.1, 2.2, 60)"
  tocsin archive query "SELECT * FROM detections WHERE object_id = 'ZTF21abiuvdk'" -o lc.parquet
  tocsin archive query --file slow_risers.sql --nights 2026-11-01:2026-11-30
  tocsin archive query --columns               what can be asked for

relations: alerts, objects, detections, classifications, associations.
Formats by suffix of -o: .csv .parquet .votable .arrow .jsonl
Exit status: 0 answered, 2 refused or failed, with the reason.
"""
SHOWN_ROWS = 40
_MOST_TEXT = 60


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    asked = _parser().parse_args(argv)
    return guarded(lambda: _columns() if asked.columns else _query(asked))


def _parser() -> argparse.ArgumentParser:
    made = parser("query", DESCRIPTION, EPILOG)
    made.add_argument("sql", nargs="?", help="the SELECT; or --file")
    made.add_argument("--file", type=Path, metavar="SQL", help="read it from a file")
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it, all rows")
    made.add_argument("--survey", action="append", default=[], help="only this survey; repeatable")
    made.add_argument("--nights", type=nights_argument, metavar="N[:M]",
                      help="only these nights: 60000, 2026-11-22, 60000:60030")  # fmt: skip
    made.add_argument("--as-user", metavar="NAME", help="show private hits of this user's lists")
    made.add_argument("--memory-mib", type=int, default=1024, help="most memory (default 1024)")
    made.add_argument("--seconds", type=float, default=120.0, help="longest time (default 120)")
    made.add_argument("--rows", type=int, default=MOST_ROWS, help="most rows (default a million)")
    made.add_argument("--columns", action="store_true", help="list relations and their columns")
    return made


def _query(asked: argparse.Namespace) -> int:
    if (asked.sql is None) == (asked.file is None):
        return refuse("give one query: as an argument, or with --file; see --help")
    if asked.output is not None:
        writer_for(asked.output)
    settings = ArchiveSettings()
    root = archive_root(settings.state_dir)
    if not surveys_in(root):
        return refuse(
            f"no night is packed below {root}: that happens a while after the night's last alert, "
            "or at once with tocsin archive pack --night N"
        )
    question = Question(
        sql=asked.sql if asked.sql is not None else asked.file.read_text(),
        # Whoever runs this can read the files themselves: an operator.
        reader=Reader(asked.as_user, is_operator=True),
        private_surveys=tuple(private_surveys(settings.private_surveys).items()),
        surveys=tuple(asked.survey),
        nights=asked.nights,
    )
    limits = Limits(asked.memory_mib, asked.seconds, threads=2)
    most = (asked.memory_mib * 2 + BESIDE_MIB) << 20  # DuckDB does not count every byte
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        answer = _answered(root, question, limits, asked.rows)
    except FilterRefusedError as error:
        return _refused(error, question.sql)
    if asked.output is not None:
        write_answer(answer.table, asked.output)
    else:
        _print(answer.table)
    rows = f"{answer.table.num_rows:,} row{'' if answer.table.num_rows == 1 else 's'}"
    cut = "; there are more: --rows" if answer.is_cut else ""
    where = f" to {asked.output}" if asked.output else ""
    sys.stderr.write(f"{rows}{where} in {answer.seconds:.2f} s{cut}\n")
    return GOOD


def _answered(root: Path, question: Question, limits: Limits, most_rows: int) -> Answer:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("reading", total=1.0)
        return run_query(
            root,
            question,
            limits,
            most_rows=most_rows,
            progress=lambda share: bars.update(task, completed=share),
        )


def _refused(error: FilterRefusedError, sql: str) -> int:
    """The reason, and the place under the line it is in."""
    sys.stderr.write(f"error: line {error.line}, column {error.column}: {visible(str(error))}\n")
    lines = sql.split("\n")
    if error.line <= len(lines):
        sys.stderr.write(f"  {visible(lines[error.line - 1])}\n  {' ' * (error.column - 1)}^\n")
    return MISUSED


def _print(answer: pa.Table) -> None:
    """The first rows as a table; on a pipe all of them, parted by tabs."""
    if not sys.stdout.isatty():
        print("\t".join(answer.column_names))
        for batch in answer.to_batches():
            for row in batch.to_pylist():
                print("\t".join(_text(value) for value in row.values()))
        return
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for field in answer.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        table.add_column(visible(field.name), justify="right" if is_number else "left")
    for row in answer.slice(0, SHOWN_ROWS).to_pylist():
        table.add_row(*(_short(_text(value)) for value in row.values()))
    console = Console()
    console.print(table)
    if answer.num_rows > SHOWN_ROWS:
        console.print(f"[dim]{answer.num_rows - SHOWN_ROWS:,} rows more: -o FILE[/]")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.8g}" if isinstance(value, float) else visible(str(value)).replace("\t", " ")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def _columns() -> int:
    """Every relation with its columns and types."""
    settings = ArchiveSettings()
    root = archive_root(settings.state_dir)
    for relation in RELATIONS:
        print(f"{relation.name}: {relation.meaning}")
        nothing = Question(
            f"SELECT * FROM {relation.name} LIMIT 0", Reader(is_operator=True)  # noqa: S608  # ours
        )  # fmt: skip
        for field in run_query(root, nothing).table.schema:
            print(f"  {field.name:32} {str(field.type)[:60]}")
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
