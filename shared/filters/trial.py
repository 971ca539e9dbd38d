"""Try an expression on the view without any alert: does it bind, is it true or false."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pyarrow as pa

from shared.filters.syntax import Expression, FilterRefusedError
from shared.filters.view import alerts_view

_DESCRIBE = "DESCRIBE SELECT ("
_TRIAL = "one_alert"


def require_boolean(connection: Any, expression: Expression, source: str) -> None:
    """Check that an expression binds to the relation ``source`` and is true or false.

    Raises
    ------
    FilterRefusedError
        If it names what is not there, or is a number or a text.
    """
    # The parsed expression holds only listed operations, so it cannot leave its parentheses.
    query = f"{_DESCRIBE}{expression.sql}\n) FROM {alerts_view(source)} AS alerts"
    try:
        kind = connection.execute(query).fetchall()[0][1]
    except duckdb.Error as error:
        raise _refusal(error, expression) from error
    if kind != "BOOLEAN":
        raise FilterRefusedError(f"is {kind.lower()}, not true or false; compare it with something")


def try_on_nothing(connection: Any, expression: Expression, schema: pa.Schema) -> None:
    """Check an expression on one alert of ``schema`` of which every column is null.

    Raises
    ------
    FilterRefusedError
        If it does not bind, is not true or false, or cannot be computed (``'abc'::DOUBLE``).
    """
    columns = [pa.nulls(1, field.type) for field in schema]
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    connection.register(_TRIAL, pa.Table.from_arrays(columns, schema=nullable))
    require_boolean(connection, expression, _TRIAL)
    query = f"SELECT ({expression.sql}\n) FROM {alerts_view(_TRIAL)} AS alerts"  # noqa: S608  # as above
    try:
        connection.execute(query).fetchall()
    except duckdb.Error as error:
        raise _refusal(error, expression, knows_place=False) from error


def _refusal(
    error: duckdb.Error, expression: Expression, *, knows_place: bool = True
) -> FilterRefusedError:
    """DuckDB's error with the place in what the user wrote, if DuckDB gives it (as JSON)."""
    text = str(error)
    try:
        told = json.loads(text[text.index("{") :])
        why = " ".join(str(told["exception_message"]).split())
    except (ValueError, KeyError):
        return FilterRefusedError(text.splitlines()[0])
    byte = int(told.get("position", len(_DESCRIBE))) - len(_DESCRIBE)
    return FilterRefusedError(why, expression.written_at(byte) if knows_place else 0)
