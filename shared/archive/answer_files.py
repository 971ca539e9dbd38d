"""Writes what a query gave as CSV, Parquet, VOTable, Arrow or JSON lines, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

Writer = Callable[[pa.Table, IO[bytes]], None]


def write_answer(table: pa.Table, path: Path) -> None:
    """Write a table in the format that the suffix names (``FORMATS``), replacing the file.

    Raises
    ------
    ValueError
        If the suffix is none of them; nothing is written.
    OSError
        If it cannot be written.
    """
    writer = writer_for(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            writer(table, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def writer_for(path: Path) -> Writer:
    """The writer of a file's format; raises ``ValueError`` if there is none."""
    writer = FORMATS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"{path}: write to a file that ends in {', '.join(FORMATS)}")
    return writer


def write_csv(table: pa.Table, file: IO[bytes]) -> None:
    """Comma-separated, null as nothing, lists and structs as JSON."""
    pacsv.write_csv(_flat(table), file)


def write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    """Parquet, zstd."""
    pq.write_table(table, file, compression="zstd")


def write_arrow(table: pa.Table, file: IO[bytes]) -> None:
    """An Arrow IPC file, which pandas and polars call Feather."""
    with pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)


def write_json_lines(table: pa.Table, file: IO[bytes]) -> None:
    """One JSON object for each row; not-a-number becomes null."""
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str))


def write_votable(table: pa.Table, file: IO[bytes]) -> None:
    """VOTable 1.4, binary; lists and structs as JSON text."""
    from astropy.io.votable import from_table  # noqa: PLC0415  # takes half a second
    from astropy.table import MaskedColumn, Table  # noqa: PLC0415

    flat = _flat(table)
    columns = []
    for name in flat.column_names:
        values, mask = _masked(flat.column(name))
        columns.append(MaskedColumn(values, name=name, mask=mask))
    votable = from_table(Table(columns))
    votable.to_xml(file, tabledata_format="binary2")


FORMATS: dict[str, Writer] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".votable": write_votable,
    ".vot": write_votable,
    ".xml": write_votable,
    ".arrow": write_arrow,
    ".jsonl": write_json_lines,
}
"""By suffix."""


def _flat(table: pa.Table) -> pa.Table:
    """Lists and structs as JSON text; dictionaries as their values."""
    columns = []
    for column in table.columns:
        if pa.types.is_nested(column.type):
            texts = [None if v is None else orjson.dumps(v, default=str).decode()
                     for v in column.to_pylist()]  # fmt: skip
            columns.append(pa.array(texts, pa.string()))
        elif pa.types.is_dictionary(column.type):
            columns.append(column.cast(column.type.value_type))
        else:
            columns.append(column)
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _masked(column: pa.ChunkedArray) -> tuple[Any, Any]:
    """A column's values and what of them is missing, as VOTable can hold them."""
    mask = np.asarray(column.is_null())
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        if kind in {pa.uint16(), pa.uint32(), pa.uint64(), pa.int8()}:  # VOTable has none of them
            column = column.cast(pa.int16() if kind == pa.int8() else pa.int64(), safe=False)
        return np.asarray(column.fill_null(pa.scalar(0).cast(column.type))), mask
    if pa.types.is_floating(kind):
        return np.asarray(column.fill_null(np.nan)), mask
    if pa.types.is_decimal(kind) or kind in {pa.uint64()}:
        return np.asarray(column.cast(pa.float64()).fill_null(np.nan)), mask
    texts = ["" if value is None else str(value) for value in column.to_pylist()]
    return np.asarray(texts, dtype=object if not texts else str), mask
