"""Would a filter be accepted? It is judged, and tried on a schema of every survey; no server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shared.filters.engine import Limits, locked_connection
from shared.filters.syntax import Expression, FilterRefusedError, parse_where
from shared.filters.trial import try_on_nothing
from shared.filters.user_filter import (
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

OPEN_STRUCTS_FILE = Path(__file__).with_name("open_structs.json")
"""Members of ``survey_fields`` by survey, and of ``features``: Arrow type by name."""
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
