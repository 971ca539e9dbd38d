"""Which columns of a text file are numbers, for formats that have types."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.files.reading import UserTable

_INTEGER = r"^([+-]?[1-9]\d{0,17}|0)?$"
"""Without zeros in front: ``00123`` is a name. At most 18 digits, or as many as fit."""
_NUMBER = r"^([+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?|[+-]?(nan|inf|NaN|NAN))?$"


def column_types(table: UserTable) -> dict[str, pa.DataType]:
    """The narrowest type that holds every value of each column: integer, float or text.

    Reads the file once. A column of blanks is text.
    """
    types: dict[str, pa.DataType] = {}
    for piece in table.pieces():
        for name in piece.column_names:
            if types.get(name) != pa.string():
                found = _type_of(pc.utf8_trim_whitespace(piece.column(name)))
                types[name] = _wider(types.get(name), found)
    return {name: pa.string() if kind == pa.null() else kind for name, kind in types.items()}


def _wider(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    for kind in (pa.string(), pa.float64(), pa.int64()):
        if kind in {one, other}:
            return kind
    return pa.null()


def _type_of(texts: pa.ChunkedArray) -> pa.DataType:
    if pc.max(pc.utf8_length(texts)).as_py() in {0, None}:
        return pa.null()
    if pc.all(pc.match_substring_regex(texts, _INTEGER)).as_py():
        return pa.int64()
    has_digit = pc.match_substring_regex(texts, r"\d|^$|(?i)nan|inf")
    if pc.all(pc.and_(pc.match_substring_regex(texts, _NUMBER), has_digit)).as_py():
        return pa.float64()
    return pa.string()


def typed(piece: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
    """Text columns as their types say; blanks in columns of numbers become null."""
    columns = []
    for name in piece.column_names:
        column = piece.column(name)
        if types[name] != pa.string():
            text = pc.utf8_trim_whitespace(column)
            blank = pc.equal(text, "")
            column = pc.if_else(blank, pa.scalar(None, pa.string()), text).cast(types[name])
        columns.append(column)
    return pa.table(columns, names=piece.column_names)
