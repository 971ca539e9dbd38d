"""Reads single columns of a catalog's table as numbers or words, whatever way the file has them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.sexagesimal import degrees

BLANKS = pa.array(["", "null", "NULL", "None", "nan", "NaN", "--", "-", r"\N"])
"""How tables in text say that there is nothing."""


class Fields:
    """The columns of a table, found without regard to the case of letters."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._names = {name.lower(): name for name in reversed(table.column_names)}

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._table.num_rows)

    def has(self, *names: str) -> bool:
        """Whether the table has one of these columns."""
        return any(name.lower() in self._names for name in names)

    def column(self, *names: str) -> pa.Array:
        """The first of these columns that is there.

        Raises
        ------
        CatalogUnavailableError
            If none is.
        """
        for name in names:
            if name.lower() in self._names:
                column = self._table.column(self._names[name.lower()]).combine_chunks()
                return column.cast(column.type.value_type) if _is_coded(column) else column
        there = ", ".join(self._table.column_names[:40])
        raise CatalogUnavailableError(f"it has no column {' or '.join(names)}; it has {there}")

    def numbers(self, *names: str) -> npt.NDArray[np.float64]:
        """A column as numbers, NaN where there is none or it is not a number, shape (m,)."""
        column = self.column(*names)
        if _is_text(column):
            return _parsed(self.words(*names))
        return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)

    def angles(self, *names: str, hours: bool) -> npt.NDArray[np.float64]:
        """A column as degrees, of degrees or of ``00:03:15.4``; NaN where neither, shape (m,).

        ``hours`` says what the first number of three counts.
        """
        values = self.numbers(*names)
        if np.isnan(values).any() and _is_text(self.column(*names)):
            words = self.words(*names)
            for row in np.flatnonzero(np.isnan(values)):
                values[row] = degrees(words[int(row)].as_py(), hours=hours)
        return values

    def words(self, *names: str) -> pa.Array:
        """A column as text without blanks around it, null where there is nothing, shape (m,)."""
        column = self.column(*names)
        if not _is_text(column):
            return column.cast(pa.string())
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        return pc.if_else(pc.is_in(text, BLANKS), pa.scalar(None, pa.string()), text)

    def names_or_numbers(self, *names: str) -> pa.Array:
        """Identifiers: 64-bit integers stay what they are, all else becomes text, shape (m,)."""
        column = self.column(*names)
        if pa.types.is_integer(column.type):
            return column.cast(pa.int64(), safe=False)
        return self.words(*names)


def _is_coded(column: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(column.type))


def _is_text(column: pa.Array) -> bool:
    kind = column.type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _parsed(text: pa.Array) -> npt.NDArray[np.float64]:
    try:
        return np.array(text.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:
        return np.array([_number(word) for word in text.to_pylist()], dtype=np.float64)


def _number(word: str | None) -> float:
    try:
        return float(word) if word is not None else float("nan")
    except ValueError:
        return float("nan")
