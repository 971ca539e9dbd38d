"""``tocsin filters check FILE``: would these filters be accepted? Needs no server.

Exit status 0 if all would be, 2 if not, with the place of each error.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from services.distribute.filters.engine import Limits, locked_connection
from services.distribute.filters.syntax import Expression, FilterRefusedError, parse_where
from services.distribute.filters.trial import try_on_nothing
from services.distribute.filters.user_filter import (
    MAX_FILE_BYTES,
    FilterFileError,
    Place,
    UserFilter,
    place_in_file,
    read_filters,
)
from shared.schemas.alert import SURVEY_FIELDS
from shared.schemas.classification import FEATURES
from shared.schemas.published import PUBLISHED

OPEN_STRUCTS_FILE = Path(__file__).parent / "filters" / "open_structs.json"
"""Members of ``survey_fields`` by survey, and of ``features``: Arrow type by name."""

_ABOUT = """\
Check filters, offline: FILE.toml with [[filter]] tables, or FILE.sql with one WHERE clause
(a leading SELECT * FROM alerts WHERE is allowed).

A filter is one SQL expression on one alert: the columns of docs/data-dictionary.md, the derived
columns and functions of docs/filters.md. It is tried on every survey; it needs to fit one.

Example of a filter:

  [[filter]]
  name = "rising"
  description = "Young, real and bright"
  owner = "me@example.org"
  where = "days_since_first_detection < 5 AND magnitude_ab < 19 AND reliability > 0.8"
"""
_SELECT = re.compile(r"\s*select\s+\*\s+from\s+alerts\s+where\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one filter."""

    name: str
    place: Place
    reason: str | None
    """Why it would be refused; None if it would be accepted."""
    surveys: tuple[str, ...] = ()
    """Surveys it applies to."""
    not_applicable: Mapping[str, str] | None = None
    """Surveys it does not apply to, and why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Check the files on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="tocsin filters check",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".toml or .sql")
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


def check_file(path: Path) -> Iterator[Verdict]:
    """Judge every filter of a file.

    Raises
    ------
    FilterFileError
        If the file cannot be read as filters at all.
    """
    filters = [_of_sql(path)] if path.suffix == ".sql" else read_filters(path)
    text = path.read_text(encoding="utf-8")
    schemas = survey_schemas()
    for each in filters:
        yield _judge(path, text, each, schemas)


def _of_sql(path: Path) -> UserFilter:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FilterFileError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FilterFileError(f"{path}: {error}") from error
    head = _SELECT.match(text)
    where = text[head.end() if head else 0 :].rstrip().removesuffix(";")
    return UserFilter.model_construct(name=path.stem, where=where, description="", owner="")


def _judge(path: Path, text: str, each: UserFilter, schemas: Mapping[str, pa.Schema]) -> Verdict:
    def refused(why: str, position: int = 0) -> Verdict:
        return Verdict(each.name, place_in_file(path, text, each.where, each.name, position), why)

    tried = [survey for survey in schemas if each.survey in {None, survey}]
    if not tried:
        return refused(f"no survey {each.survey!r}; there are: {', '.join(schemas)}")
    try:
        expression = parse_where(each.where)
    except FilterRefusedError as error:
        return refused(error.why, error.position)
    refusals = _refusals(expression, {survey: schemas[survey] for survey in tried})
    if len(refusals) == len(tried):
        reasons = dict.fromkeys(error.why for error in refusals.values())
        return refused("; ".join(reasons), next(iter(refusals.values())).position)
    fitting = tuple(survey for survey in tried if survey not in refusals)
    others = {survey: error.why for survey, error in refusals.items()}
    place = place_in_file(path, text, each.where, each.name, 0)
    return Verdict(each.name, place, None, fitting, others)


def _refusals(
    expression: Expression, schemas: Mapping[str, pa.Schema]
) -> dict[str, FilterRefusedError]:
    """Surveys the expression does not fit, and why."""
    connection = locked_connection(Limits(), explains=True)
    refusals = {}
    for survey, schema in schemas.items():
        try:
            try_on_nothing(connection, expression, schema)
        except FilterRefusedError as error:
            refusals[survey] = error
    connection.close()
    return refusals


def survey_schemas() -> dict[str, pa.Schema]:
    """The published schema of each survey, its own members filled in."""
    members = json.loads(OPEN_STRUCTS_FILE.read_text(encoding="utf-8"))
    features = _struct(members[FEATURES])
    schemas = {}
    for survey, own in members[SURVEY_FIELDS].items():
        types = {SURVEY_FIELDS: _struct(own), FEATURES: features}
        schemas[survey] = pa.schema([f.with_type(types.get(f.name, f.type)) for f in PUBLISHED])
    return schemas


def _struct(members: Mapping[str, str]) -> pa.StructType:
    return pa.struct([pa.field(name, pa.type_for_alias(alias)) for name, alias in members.items()])


def _line(verdict: Verdict) -> str:
    if verdict.reason is not None:
        return f"{verdict.place}: filter {verdict.name} refused: {verdict.reason}"
    line = f"{verdict.place}: filter {verdict.name} accepted for {', '.join(verdict.surveys)}"
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
    }
    return json.dumps(document, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
