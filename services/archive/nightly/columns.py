"""The columns of alerts as they stand in Parquet: the envelope's, grown by nullable columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import pyarrow as pa


def stored_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """One schema for tables of several versions: all columns and members, all nullable.

    Parquet cannot hold a struct without members: such columns are left out.

    Raises
    ------
    pa.ArrowTypeError
        If a column has types that do not go together.
    """
    merged = pa.unify_schemas([_bare(one) for one in schemas], promote_options="permissive")
    return pa.schema([field for field in merged if _is_storable(field.type)])


def stored_table(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Tables one after the other with the columns of ``schema``; what they lack is null."""
    return pa.concat_tables([_with_columns(table, schema) for table in tables])


def schema_mark(schema: pa.Schema) -> str:
    """Twelve hexadecimal digits that tell schemas apart."""
    return hashlib.sha256(schema.to_string(show_field_metadata=False).encode()).hexdigest()[:12]


def _with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _bare(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _nullable(field.type)) for field in schema])


def _nullable(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(type_):
        members = [pa.field(member.name, _nullable(member.type)) for member in type_]
        return pa.struct([member for member in members if _is_storable(member.type)])
    if pa.types.is_list(type_):
        return pa.list_(_nullable(type_.value_type))
    return type_


def _is_storable(type_: pa.DataType) -> bool:
    if pa.types.is_null(type_):
        return False
    return not (pa.types.is_struct(type_) and type_.num_fields == 0)
