"""``tocsin filters check FILE``: would these filters be accepted? Needs no server.

Exit status 0 if all would be, 2 if not, with the place of each error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.filters.check import Verdict, check_file
from shared.filters.user_filter import FilterFileError

_ABOUT = """\
Check filters, offline: FILE.sql with SELECT columns FROM alerts WHERE condition (or the condition
alone), FILE.json with a Mongo-style match document, or FILE.toml with [[filter]] tables.

Columns and functions: docs/data-dictionary.md and docs/filters.md. A filter is tried on every
survey; it needs to fit one.

Example, rising.sql:

  SELECT object_id, ra_deg, dec_deg, magnitude_ab FROM alerts
  WHERE days_since_first_detection < 5 AND magnitude_ab < 19 AND reliability > 0.8

  tocsin filters check rising.sql       exit status 0 if it would be accepted, 2 and where if not
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Check the files on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="tocsin filters check",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".sql, .json or .toml")
    parser.add_argument("--json", action="store_true", help="one JSON line per filter")
    arguments = parser.parse_args(argv)
    is_good = True
    for path in arguments.files:
        try:
            for verdict in check_file(path):
                is_good = is_good and verdict.reason is None
                print(_json_line(verdict) if arguments.json else _line(verdict))
        except FilterFileError as error:
            is_good = False
            print(error, file=sys.stderr)
    return 0 if is_good else 2


def _line(verdict: Verdict) -> str:
    if verdict.reason is not None:
        return f"{verdict.place}: filter {verdict.name} refused: {verdict.reason}"
    line = f"{verdict.place}: filter {verdict.name} accepted for {', '.join(verdict.surveys)}"
    if verdict.columns:
        line += f"\n  sends {', '.join(column.name for column in verdict.columns)}"
    for survey, why in (verdict.not_applicable or {}).items():
        line += f"\n  not for {survey}: {why}"
    return line


def _json_line(verdict: Verdict) -> str:
    document: dict[str, Any] = {
        "status": "accepted" if verdict.reason is None else "refused",
        "filter": verdict.name,
        "file": verdict.place.file,
        "line": verdict.place.line,
        "column": verdict.place.column,
        "reason": verdict.reason,
        "surveys": list(verdict.surveys),
        "not_applicable": dict(verdict.not_applicable or {}),
        "columns": [column.name for column in verdict.columns],
        "schema_id": verdict.schema.id if verdict.schema else None,
    }
    return json.dumps(document, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
