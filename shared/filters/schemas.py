"""The Avro schema of a filter's topic: the whole alert's, or that of its SELECT's columns."""

from __future__ import annotations

from shared.filters.output import OutputColumn
from shared.filters.user_filter import UserFilter
from shared.schemas.avro.columns import Column, columns_schema
from shared.schemas.avro.registered import RegisteredSchema, alert_registered, made_schema


def avro_columns(columns: tuple[OutputColumn, ...]) -> list[Column]:
    """Columns as ``shared.schemas.avro`` takes them."""
    return [(column.name, column.field, column.plain) for column in columns]


def schema_of(each: UserFilter, columns: tuple[OutputColumn, ...]) -> RegisteredSchema:
    """The schema of a filter's messages, and its id: the same wherever it is worked out."""
    if not columns:
        return alert_registered()
    doc = f"What the filter {each.name} sends."
    text = columns_schema(each.name, avro_columns(columns), doc)
    return made_schema(f"out.{each.name}", text)
