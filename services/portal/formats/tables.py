"""An Arrow table as JSON, CSV, Parquet or VOTable. CPU-bound: call it in a thread."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from services.portal.formats.choice import TableFormat

UNIT = b"unit"
MEANING = b"meaning"
UCD = b"ucd"


def field_of(
    name: str, type_: pa.DataType, meaning: str, *, unit: str = "", ucd: str = ""
) -> pa.Field:
    """A column with its meaning, unit and IVOA content descriptor."""
    told = {MEANING: meaning, UNIT: unit, UCD: ucd}
    return pa.field(name, type_, metadata={k: v.encode() for k, v in told.items() if v})


def written(
    table: pa.Table, form: str, *, more: Mapping[str, Any] | None = None, is_cut: bool = False
) -> bytes:
    """The table in one of the forms of `TableFormat`.

    Parameters
    ----------
    table
        Columns may have units and meanings in their metadata (``field_of``).
    form
        A `TableFormat`.
    more
        Members beside ``columns`` in JSON, and INFO elements in VOTable.
    is_cut
        There was more: VOTable says so (DALI 1.1, section 4.4.1).
    """
    match form:
        case TableFormat.CSV:
            sink = io.BytesIO()
            pyarrow.csv.write_csv(flat(table), sink)
            return sink.getvalue()
        case TableFormat.PARQUET:
            sink = io.BytesIO()
            pyarrow.parquet.write_table(table, sink, compression="zstd")
            return sink.getvalue()
        case TableFormat.VOTABLE:
            return votable(table, more or {}, is_cut=is_cut)
        case _:
            columns = {name: table.column(name).to_pylist() for name in table.column_names}
            return orjson.dumps({**(more or {}), "columns": columns}, default=str)


def flat(table: pa.Table) -> pa.Table:
    """The table with lists and structs as JSON text: for forms that know numbers and text only."""
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) or pa.types.is_dictionary(field.type):
            values = table.column(place).to_pylist()
            texts = [None if v is None else orjson.dumps(v, default=str).decode() for v in values]
            table = table.set_column(
                place, field.with_type(pa.string()), [pa.array(texts, pa.string())]
            )
        elif not _is_plain(field.type):
            column = pc.cast(table.column(place), pa.string())
            table = table.set_column(place, field.with_type(pa.string()), column)
    return table


def _is_plain(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_)
        or pa.types.is_string(type_) or pa.types.is_large_string(type_)
    )  # fmt: skip


def votable(table: pa.Table, infos: Mapping[str, Any], *, is_cut: bool = False) -> bytes:
    """The table as VOTable 1.4, TABLEDATA, written by astropy."""
    from astropy.io.votable import from_table, writeto  # noqa: PLC0415  # half a second: only here
    from astropy.io.votable.tree import Info  # noqa: PLC0415
    from astropy.table import MaskedColumn, Table  # noqa: PLC0415

    plain = flat(table)
    columns = []
    for field, chunked in zip(plain.schema, plain.columns, strict=True):
        told = field.metadata or {}
        columns.append(
            MaskedColumn(
                _values(chunked), name=field.name, mask=np.asarray(chunked.is_null()),
                description=told.get(MEANING, b"").decode() or None,
                unit=told.get(UNIT, b"").decode() or None,
                meta={"ucd": told.get(UCD, b"").decode()},
            )
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that VOUnits does not know are written all the same
        document = from_table(Table(columns))
        document.version = "1.4"
        resource = document.resources[0]
        resource.type = "results"
        resource.infos.append(Info(name="QUERY_STATUS", value="OVERFLOW" if is_cut else "OK"))
        for name, value in infos.items():
            resource.infos.append(Info(name=_word(name), value=str(value)))
        for column, described in zip(columns, resource.tables[0].fields, strict=True):
            described.ucd = column.meta["ucd"] or None
        sink = io.BytesIO()
        writeto(document, sink)
    return sink.getvalue()


def _values(chunked: pa.ChunkedArray) -> Any:
    """A column as NumPy holds it, nulls filled: the mask says where they are."""
    type_ = chunked.type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        texts = [_xml_text(text or "") for text in chunked.to_pylist()]
        return np.array(texts, dtype=np.str_) if texts else np.array([], dtype="U1")
    if pa.types.is_boolean(type_):
        return np.asarray(chunked.fill_null(False).to_numpy())
    if pa.types.is_floating(type_):
        return np.asarray(chunked.fill_null(np.nan).to_numpy())
    filled = np.asarray(chunked.fill_null(0).to_numpy())
    # VOTable has unsigned bytes only, and no unsigned integers.
    narrow = {"int8": np.int16, "uint16": np.int32, "uint32": np.int64, "uint64": np.int64}
    return filled.astype(narrow.get(filled.dtype.name, filled.dtype))


def _xml_text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c != "\ufffe"
    )


def _word(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


def error_votable(message: str) -> bytes:
    """A VOTable that says what went wrong (DALI 1.1, section 4.4)."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
        '  <RESOURCE type="results">\n'
        f'    <INFO name="QUERY_STATUS" value="ERROR">{escape(_xml_text(message))}</INFO>\n'
        f'    <INFO name="Error" value={quoteattr(_xml_text(message))}/>\n'
        "  </RESOURCE>\n</VOTABLE>\n"
    ).encode()
