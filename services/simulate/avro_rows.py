"""Columns to Avro records, compiled: what fastavro does per value is done per column here.

A record whose fields are all scalars (nullable or not) is a program of one operation per
field; the kernel runs it for every row and writes the rows' bytes one after another, so that
the items of an Avro array are one slice. fastavro is the reference it is tested against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

FLOAT, DOUBLE, INTEGER, BOOLEAN, STRING = range(5)
_KINDS = {"float": FLOAT, "double": DOUBLE, "int": INTEGER, "long": INTEGER, "boolean": BOOLEAN}
NULL_INTEGER = np.iinfo(np.int64).min
"""Stands for null in a column of integers."""
_MAX_SCALAR_BYTES = 11
"""Union branch and the longest number."""


@dataclass(frozen=True, slots=True)
class Category:
    """A column of few distinct strings: ``words[codes[row]]``."""

    codes: npt.NDArray[np.int64]
    words: Sequence[str | None]


Column = Category | npt.NDArray[Any] | Sequence[Any] | float | int | str | bool | None
"""One value per row, or one for all; None or NaN is null where the schema allows null."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar of a record: ``null_branch`` is its union's index of null, or -1."""

    name: str
    kind: int
    null_branch: int


def leaves_of(record: Mapping[str, Any]) -> list[Leaf]:
    """The scalars of a record schema, nested plain records flattened, in order.

    Raises
    ------
    ValueError
        If a field is neither a scalar, a nullable scalar nor a plain record of such.
    """
    leaves: list[Leaf] = []
    for field in record["fields"]:
        kind, null_branch = field["type"], -1
        if isinstance(kind, list):
            null_branch = kind.index("null")
            (kind,) = [branch for branch in kind if branch != "null"]
        if isinstance(kind, dict) and kind["type"] == "record" and null_branch < 0:
            leaves += leaves_of(kind)
            continue
        if isinstance(kind, dict):
            kind = kind["type"]
        if kind == "string":
            leaves.append(Leaf(field["name"], STRING, null_branch))
        elif kind in _KINDS:
            leaves.append(Leaf(field["name"], _KINDS[kind], null_branch))
        else:
            raise ValueError(f"{field['name']}: {kind!r} is no scalar")
    return leaves


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows as Avro bytes; row ``i`` is ``buffer[offsets[i]:offsets[i + 1]]``."""

    buffer: memoryview
    offsets: npt.NDArray[np.int64]

    def __iter__(self) -> Iterator[memoryview]:
        """Each row's bytes."""
        bounds = self.offsets.tolist()
        for start, stop in pairwise(bounds):
            yield self.buffer[start:stop]

    def slices(self, row_offsets: npt.NDArray[np.int64]) -> Iterator[memoryview]:
        """The bytes of rows ``row_offsets[i]:row_offsets[i + 1]`` together, for each i."""
        bounds = self.offsets[row_offsets].tolist()
        for start, stop in pairwise(bounds):
            yield self.buffer[start:stop]


class RowEncoder:
    """Encodes rows of one record schema from columns."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.leaves = leaves_of(record)
        self._program = np.array(
            [(leaf.kind, leaf.null_branch) for leaf in self.leaves], dtype=np.int64
        )

    def encode(self, rows: int, columns: Mapping[str, Column]) -> EncodedRows:
        """Encode ``rows`` records.

        Parameters
        ----------
        rows
            How many.
        columns
            By field name; a nullable field without a column is null in every row.

        Raises
        ------
        ValueError
            For a column that no field bears, or a null where the schema allows none.
        """
        unknown = set(columns) - {leaf.name for leaf in self.leaves}
        if unknown:
            raise ValueError(f"the schema has no field {', '.join(sorted(unknown))}")
        floats = np.empty((rows, len(self.leaves)), dtype=np.float64)
        integers = np.empty((rows, len(self.leaves)), dtype=np.int64)
        words = _Words()
        for place, leaf in enumerate(self.leaves):
            value: Any = columns.get(leaf.name)
            if leaf.kind in (FLOAT, DOUBLE):
                floats[:, place] = np.nan if value is None else value
                empty = np.isnan(floats[:, place])
            else:
                integers[:, place] = words.codes(value) if leaf.kind == STRING else _codes(value)
                empty = integers[:, place] == NULL_INTEGER
            if leaf.null_branch < 0 and leaf.kind not in (FLOAT, DOUBLE) and bool(empty.any()):
                raise ValueError(f"{leaf.name} must not be null")
        text, starts = words.table()
        longest = int(np.diff(starts).max(initial=0)) if len(starts) > 1 else 0
        strings = sum(leaf.kind == STRING for leaf in self.leaves)
        room = rows * (len(self.leaves) * _MAX_SCALAR_BYTES + strings * longest)
        buffer = np.empty(room, dtype=np.uint8)
        offsets = np.zeros(rows + 1, dtype=np.int64)
        used = _write_rows(self._program, floats, integers, text, starts, buffer, offsets)
        return EncodedRows(memoryview(buffer[:used].tobytes()), offsets)


class _Words:
    """The distinct strings of all columns, numbered."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def codes(self, value: Column) -> Any:
        if value is None:
            return NULL_INTEGER
        if isinstance(value, str):
            return self._numbers.setdefault(value, len(self._numbers))
        number = self._numbers
        if isinstance(value, Category):
            mapped = [
                NULL_INTEGER if word is None else number.setdefault(word, len(number))
                for word in value.words
            ]
            return np.array(mapped, dtype=np.int64)[value.codes]
        return [
            NULL_INTEGER if word is None else number.setdefault(word, len(number))
            for word in value  # type: ignore[union-attr]  # a scalar is no string column
        ]

    def table(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        encoded = [word.encode() for word in self._numbers]
        starts = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(word) for word in encoded], out=starts[1:])
        return np.frombuffer(b"".join(encoded) + b"\0", dtype=np.uint8), starts


def _codes(value: Column) -> Any:
    if value is None:
        return NULL_INTEGER
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        whole = np.where(np.isnan(value), 0, value).astype(np.int64)
        return np.where(np.isnan(value), NULL_INTEGER, whole)
    return value


@njit(cache=True, nogil=True)
def _put_varint(value: int, buffer: Any, at: int) -> int:
    rest = np.uint64((value << 1) ^ (value >> 63))
    while rest > np.uint64(0x7F):
        buffer[at] = np.uint8((rest & np.uint64(0x7F)) | np.uint64(0x80))
        at += 1
        rest >>= np.uint64(7)
    buffer[at] = np.uint8(rest)
    return at + 1


@njit(cache=True, nogil=True)
def _write_rows(
    program: Any, floats: Any, integers: Any, text: Any, starts: Any, buffer: Any, offsets: Any
) -> int:
    single = np.empty(1, dtype=np.float32)
    single_bytes = single.view(np.uint8)
    double = np.empty(1, dtype=np.float64)
    double_bytes = double.view(np.uint8)
    at = 0
    for row in range(floats.shape[0]):
        for place in range(program.shape[0]):
            kind, null_branch = program[place, 0], program[place, 1]
            if null_branch >= 0:
                if kind <= DOUBLE:
                    empty = np.isnan(floats[row, place])
                else:
                    empty = integers[row, place] == NULL_INTEGER
                buffer[at] = 2 * null_branch if empty else 2 * (1 - null_branch)
                at += 1
                if empty:
                    continue
            if kind == FLOAT:
                single[0] = floats[row, place]
                buffer[at : at + 4] = single_bytes
                at += 4
            elif kind == DOUBLE:
                double[0] = floats[row, place]
                buffer[at : at + 8] = double_bytes
                at += 8
            elif kind == INTEGER:
                at = _put_varint(integers[row, place], buffer, at)
            elif kind == BOOLEAN:
                buffer[at] = 1 if integers[row, place] else 0
                at += 1
            else:
                word = integers[row, place]
                length = starts[word + 1] - starts[word]
                at = _put_varint(length, buffer, at)
                buffer[at : at + length] = text[starts[word] : starts[word + 1]]
                at += length
        offsets[row + 1] = at
    return at
