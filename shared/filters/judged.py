"""A filter taken apart and tried on every survey: its parts, and the columns it sends."""

from __future__ import annotations

from functools import lru_cache

from shared.filters.output import OutputColumn, output_columns
from shared.filters.python import PYTHON_FILTERS
from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import Statement, parse_filter
from shared.filters.surveys import tried_on_surveys
from shared.filters.user_filter import UserFilter


def judged(each: UserFilter) -> tuple[Statement, tuple[OutputColumn, ...]]:
    """A filter's parts and the columns it sends; remembered, since engines are made anew often.

    Raises
    ------
    FilterRefusedError
        If it is not acceptable; the message names it.
    """
    statement = _parsed(each)
    return statement, outputs_of(each, statement)


@lru_cache(maxsize=4096)
def _parsed(each: UserFilter) -> Statement:
    try:
        if each.python is not None and each.python not in PYTHON_FILTERS:
            there = ", ".join(PYTHON_FILTERS) or "none"
            raise FilterRefusedError(f"no Python filter {each.python!r}; there are: {there}")
        return parse_filter(each.select)
    except FilterRefusedError as error:
        raise error.of(each.select, f"filter {each.name}: ") from error


@lru_cache(maxsize=4096)
def outputs_of(each: UserFilter, statement: Statement) -> tuple[OutputColumn, ...]:
    """The columns a filter sends: the same wherever and whenever they are worked out.

    Raises
    ------
    FilterRefusedError
        If it fits no survey, or surveys give a column types that have no common one.
    """
    if not statement.columns:
        return ()
    fitting, refusals = tried_on_surveys(statement, each.survey)
    if not fitting:
        raise next(iter(refusals.values())).of(each.select, f"filter {each.name}: ")
    return output_columns(statement, fitting)
