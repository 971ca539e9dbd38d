"""What a filter sends: its SELECT's columns with Arrow types, one answer for all surveys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

from shared.filters.derived import DERIVED
from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import Statement
from shared.schemas.published import PUBLISHED

_PUBLISHED = {field.name: field for field in PUBLISHED}
_MEANINGS = {name: meaning for name, _, meaning in DERIVED}


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of a filter's messages."""

    name: str
    sql: str
    field: pa.Field
    """Under the name of the published column, if it is ``plain``."""
    plain: bool
    """Whether it is a published column and nothing more, taken as it is."""


def output_columns(
    statement: Statement, by_survey: Mapping[str, pa.Schema]
) -> tuple[OutputColumn, ...]:
    """The columns of a SELECT; none for ``SELECT *``.

    Parameters
    ----------
    statement
        A judged filter.
    by_survey
        What it gives for each survey it fits: see ``trial.try_on_nothing``.

    Raises
    ------
    FilterRefusedError
        If surveys give a column types that have no common one, or a column is always null.
    """
    columns = []
    for column in statement.columns:
        published = _PUBLISHED.get(column.plain or "")
        if published is not None:
            columns.append(OutputColumn(column.name, published.name, published, plain=True))
            continue
        given = {survey: schema.field(column.name).type for survey, schema in by_survey.items()}
        common = None
        for type_ in given.values():
            common = _common(common, sendable(type_))
            if common is None:
                kinds = " and ".join(f"{type_} for {survey}" for survey, type_ in given.items())
                raise FilterRefusedError(
                    f"column {column.name} is {kinds}, which cannot be sent",
                    text=statement.text,
                    hint=f"cast it: {column.name}::DOUBLE",
                )
        meaning = {"meaning": _MEANINGS[column.plain]} if column.plain in _MEANINGS else None
        field = pa.field(column.name, common, metadata=meaning)
        columns.append(OutputColumn(column.name, column.sql, field, plain=False))
    return tuple(columns)


def sendable(type_: pa.DataType) -> pa.DataType | None:
    """The Arrow type under which a column of DuckDB's is sent; None if there is none."""
    if types.is_decimal(type_) or types.is_uint64(type_) or types.is_float16(type_):
        return pa.float64()
    if types.is_unsigned_integer(type_):
        return pa.int64()
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return pa.string()
    if types.is_boolean(type_) or types.is_signed_integer(type_) or types.is_floating(type_):
        return type_
    if types.is_list(type_) or types.is_large_list(type_):
        item = sendable(type_.value_type)
        return None if item is None else pa.list_(item)
    if types.is_struct(type_) and type_.num_fields:
        members = [(type_.field(i).name, sendable(type_.field(i).type)) for i in _range(type_)]
        return None if any(m is None for _, m in members) else pa.struct(members)
    return None


def _range(type_: pa.StructType) -> range:
    return range(type_.num_fields)


def _common(first: pa.DataType | None, second: pa.DataType | None) -> pa.DataType | None:
    """The type that holds both; None if there is none."""
    if second is None or first is None or first == second:
        return second
    numbers = types.is_integer(first) or types.is_floating(first)
    if not numbers or not (types.is_integer(second) or types.is_floating(second)):
        return None
    if types.is_integer(first) and types.is_integer(second):
        return max(first, second, key=lambda each: each.bit_width)
    return pa.float64()
