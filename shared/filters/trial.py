"""Try a filter on the view without any alert: does it bind, is it true or false, what it sends."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pyarrow as pa

from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import VIEW, Statement
from shared.filters.view import alerts_view

_DESCRIBE = "DESCRIBE "
_TRIAL = "one_alert"
_TEXT_AS_NUMBER = "Could not convert string"


def require_boolean(connection: Any, statement: Statement, source: str) -> None:
    """Check that a filter binds to the relation ``source`` and its condition is true or false.

    Raises
    ------
    FilterRefusedError
        If it names what is not there, or its condition is a number or a text.
    """
    seen = alerts_view(source, statement.derived)
    # The parts hold only listed operations, so they cannot leave their parentheses.
    columns = "".join(f", ({column.sql}\n)" for column in statement.columns)
    query = f"{_DESCRIBE}SELECT ({statement.where}\n){columns} FROM {seen} AS {VIEW}"  # noqa: S608
    try:
        kind = connection.execute(query).fetchall()[0][1]
    except duckdb.Error as error:
        raise _refusal(error, statement, 0) from error
    if kind != "BOOLEAN":
        raise FilterRefusedError(
            f"is {kind.lower()}, not true or false; compare it with something", text=statement.text
        )


def try_on_nothing(connection: Any, statement: Statement, schema: pa.Schema) -> pa.Schema:
    """Check a filter on one alert of ``schema`` of which every column is null.

    Returns
    -------
    Schema
        Of the columns it sends; empty for the whole alert.

    Raises
    ------
    FilterRefusedError
        If it does not bind, is not true or false, or cannot be computed (``'abc'::DOUBLE``).
    """
    columns = [pa.nulls(1, field.type) for field in schema]
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    connection.register(_TRIAL, pa.Table.from_arrays(columns, schema=nullable))
    seen = alerts_view(_TRIAL, statement.derived)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT * FROM {seen}")  # noqa: S608
    try:
        connection.execute(f"{_DESCRIBE}{statement.sql}").fetchall()
    except duckdb.Error as error:
        raise _refusal(error, statement, len(_DESCRIBE)) from error
    require_boolean(connection, statement, _TRIAL)
    parts = "".join(f', ({column.sql}\n) AS "{column.name}"' for column in statement.columns)
    try:
        found = connection.sql(f"SELECT ({statement.where}\n){parts} FROM {VIEW}")  # noqa: S608
        sent: pa.Schema = found.to_arrow_table().schema
    except duckdb.Error as error:
        raise _refusal(error, statement, None) from error
    _try_on_numbers(connection, statement, nullable, parts)
    return sent.remove(0)


def _try_on_numbers(connection: Any, statement: Statement, schema: pa.Schema, parts: str) -> None:
    """Refuse a text that is compared with a number: on nulls nothing may ask for its value.

    Texts stay null, and errors but this one are let pass: they depend on the values.
    """
    columns = [_ones(field.type) for field in schema]
    connection.register(_TRIAL, pa.Table.from_arrays(columns, schema=schema))
    try:
        connection.sql(f"SELECT ({statement.where}\n){parts} FROM {VIEW}").fetchall()  # noqa: S608
    except duckdb.ConversionException as error:
        refusal = _refusal(error, statement, None)
        if _TEXT_AS_NUMBER in refusal.why:
            hint = "compare numbers with numbers"
            raise FilterRefusedError(refusal.why, text=statement.text, hint=hint) from error
    except duckdb.Error:
        pass


def _ones(kind: pa.DataType) -> pa.Array:
    """One value: 1 or true wherever that is possible, null elsewhere."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pa.array([1], kind)
    if pa.types.is_boolean(kind):
        return pa.array([True], kind)
    if pa.types.is_struct(kind):
        members = [kind.field(k) for k in range(kind.num_fields)]
        return pa.StructArray.from_arrays([_ones(m.type) for m in members], fields=members)
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), _ones(kind.value_type), kind)
    return pa.nulls(1, kind)


def _refusal(error: duckdb.Error, statement: Statement, before: int | None) -> FilterRefusedError:
    """DuckDB's error with the place in what the user wrote.

    ``before`` is how many bytes stand before the statement's own SQL; None where places mean
    nothing.
    """
    text = str(error)
    try:
        told = json.loads(text[text.index("{") :])
        why = " ".join(str(told["exception_message"]).split())
    except (ValueError, KeyError):
        return FilterRefusedError(text.splitlines()[0], text=statement.text)
    place = 0
    if before:
        place = statement.written_at(int(told.get("position", before)) - before)
    return FilterRefusedError(why, place, text=statement.text)
