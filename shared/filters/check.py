"""Would a filter be accepted? It is judged, and tried on a schema of every survey; no server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared.filters.match import where_of_match
from shared.filters.output import OutputColumn, output_columns
from shared.filters.python import PYTHON_FILTERS
from shared.filters.refusal import FilterRefusedError
from shared.filters.schemas import schema_of
from shared.filters.statement import parse_filter
from shared.filters.surveys import tried_on_surveys
from shared.filters.user_filter import (
    NAME_PATTERN,
    FilterFileError,
    Place,
    UserFilter,
    place_in_file,
    read_filter_text,
    read_filters,
)
from shared.schemas.avro.registered import RegisteredSchema

UNNAMED = "unnamed"
"""Stands for the name of a filter whose file has a name that no filter may have."""


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
    columns: tuple[OutputColumn, ...] = ()
    """What it sends; empty for the whole alert."""
    schema: RegisteredSchema | None = None
    """The Avro schema of its messages."""


def check_file(path: Path) -> Iterator[Verdict]:
    """Judge every filter of a file.

    Raises
    ------
    FilterFileError
        If the file cannot be read as filters at all.
    """
    filters = read_filter_file(path)
    text = read_filter_text(path)
    for each in filters:
        yield judge_filter(each, partial(place_in_file, path, text, each.select, each.name))


def read_filter_file(path: Path) -> list[UserFilter]:
    """The filters of a file: .sql, .json (a match document, or whole filters) or .toml.

    Raises
    ------
    FilterFileError
        If the file cannot be read as filters at all.
    """
    if path.suffix == ".toml":
        return read_filters(path)
    text = read_filter_text(path)
    try:
        if path.suffix == ".json":
            text = where_of_match(json.loads(text))
    except ValueError as error:
        raise FilterFileError(f"{path}: {error}") from error
    except RecursionError:
        raise FilterFileError(f"{path}: nested too deep") from None
    named = path.stem if re.fullmatch(NAME_PATTERN, path.stem) else UNNAMED
    return [UserFilter.model_construct(name=named, select=text, description="", owner="")]


def judge_filter(each: UserFilter, place_of: Callable[[int], Place]) -> Verdict:
    """Judge one filter; ``place_of`` finds a character of its text in its file."""

    def refused(error: FilterRefusedError) -> Verdict:
        reason = f"{error.why}; {error.hint}" if error.hint else error.why
        return Verdict(each.name, place_of(error.position), reason)

    try:
        statement = parse_filter(each.select)
        fitting, refusals = tried_on_surveys(statement, each.survey)
        if not fitting:
            whys = "; ".join(dict.fromkeys(error.why for error in refusals.values()))
            first = next(iter(refusals.values()))
            return refused(FilterRefusedError(whys, first.position))
        columns = output_columns(statement, fitting)
    except FilterRefusedError as error:
        return refused(error)
    if each.python is not None and each.python not in PYTHON_FILTERS:
        return refused(FilterRefusedError(f"no Python filter {each.python!r}"))
    others = {survey: error.why for survey, error in refusals.items()}
    schema = schema_of(each, columns)
    return Verdict(each.name, place_of(0), None, tuple(fitting), others, columns, schema)
