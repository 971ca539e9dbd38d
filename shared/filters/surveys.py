"""What each survey's alerts look like, so that a filter can be tried without any alert."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from shared.filters.guard import Limits, locked_connection
from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import Statement
from shared.filters.trial import try_on_nothing
from shared.schemas.alert import SURVEY_FIELDS
from shared.schemas.classification import FEATURES
from shared.schemas.published import PUBLISHED

OPEN_STRUCTS_FILE = Path(__file__).with_name("open_structs.json")
"""Members of ``survey_fields`` by survey, and of ``features``: Arrow type by name."""
_LOCK = Lock()


def tried_on_surveys(
    statement: Statement, survey: str | None = None
) -> tuple[dict[str, pa.Schema], dict[str, FilterRefusedError]]:
    """Try a filter on every survey, or on one.

    Returns
    -------
    fitting
        Surveys it fits, and the columns it gives for each.
    refusals
        Surveys it does not fit, and why.

    Raises
    ------
    FilterRefusedError
        If there is no such survey.
    """
    schemas = survey_schemas()
    if survey is not None and survey not in schemas:
        raise FilterRefusedError(f"no survey {survey!r}; there are: {', '.join(schemas)}")
    fitting: dict[str, pa.Schema] = {}
    refusals: dict[str, FilterRefusedError] = {}
    with _LOCK:
        for name, schema in schemas.items():
            if survey in {None, name}:
                try:
                    fitting[name] = try_on_nothing(_trial_connection(), statement, schema)
                except FilterRefusedError as error:
                    refusals[name] = error
    return fitting, refusals


@cache
def _trial_connection() -> Any:
    return locked_connection(Limits(), explains=True)


@cache
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
