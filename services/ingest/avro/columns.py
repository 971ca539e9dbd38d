"""What the kernel wrote, as typed columns: views of its raw 64-bit values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.ingest.avro import instructions as op
from services.ingest.avro.program import Column

Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

DTYPES: dict[int, npt.DTypeLike] = {
    op.KIND_FLOAT: np.float32,
    op.KIND_DOUBLE: np.float64,
    op.KIND_INT: np.int32,
    op.KIND_LONG: np.int64,
    op.KIND_BOOLEAN: np.bool_,
    op.KIND_SHORT_STRING: np.uint64,
}
"""NumPy type of each kind of column; texts are kept as Arrow arrays instead."""


def typed(raw: npt.NDArray[np.uint64], kind: int) -> Values:
    """Raw values, any shape, as the values of their kind."""
    if kind == op.KIND_DOUBLE:
        return raw.view(np.float64)
    if kind == op.KIND_LONG:
        return raw.view(np.int64)
    if kind == op.KIND_FLOAT:
        return raw.astype(np.uint32).view(np.float32)
    if kind == op.KIND_SHORT_STRING:
        return raw
    return raw.astype(np.uint32).view(np.int32) if kind == op.KIND_INT else raw != 0


def short_code(text: str) -> int:
    """The number that stands for a text of at most 8 bytes in a short column."""
    return int.from_bytes(text.encode("utf-8"), "little")


@dataclass(frozen=True)
class Ragged:
    """One list of all packets: ``m`` rows in all; packet ``i`` has ``offsets[i]:offsets[i+1]``."""

    offsets: npt.NDArray[np.int64]
    """Shape (n+1,)."""
    raw: npt.NDArray[np.uint64]
    valid: npt.NDArray[np.uint8]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """Rows in all."""
        return int(self.offsets[-1])

    @property
    def packet(self) -> npt.NDArray[np.int64]:
        """Shape (m,): the packet that each row belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Member ``name`` as float64, shape (m,); NaN where null or not in the schema."""
        column = self.columns.get(name)
        if column is None:
            return np.full(len(self), np.nan)
        values = typed(self.raw[column.row], column.kind).astype(np.float64)
        values[self.valid[column.row] == 0] = np.nan
        return values

    def codes(self, name: str) -> npt.NDArray[np.uint64]:
        """Text member ``name`` as ``short_code``, shape (m,); 0 where null or not in the schema."""
        column = self.columns.get(name)
        if column is None or column.kind != op.KIND_SHORT_STRING:
            return np.zeros(len(self), np.uint64)
        codes: npt.NDArray[np.uint64] = self.raw[column.row]
        return codes


@dataclass(frozen=True)
class Decoded:
    """Packets of one writer's schema, those without fault, as columns of ``n`` rows."""

    rows: npt.NDArray[np.int64]
    """Shape (n,): index of each row's packet among those that were to be decoded."""
    faults: npt.NDArray[np.int64]
    """Shape (all packets,): ``instructions.OK`` or what is wrong with each."""
    raw: npt.NDArray[np.uint64]
    valid: npt.NDArray[np.uint8]
    columns: Mapping[str, Column]
    texts: Mapping[str, Any]
    """Arrow string arrays by path."""
    lists: Mapping[str, Ragged]

    def __len__(self) -> int:
        """How many packets were decoded."""
        return len(self.rows)

    def numbers(self, path: str) -> npt.NDArray[np.float64]:
        """Column ``path`` as float64, shape (n,); NaN where null or not in the schema."""
        column = self.columns.get(path)
        if column is None or column.kind == op.KIND_STRING:
            return np.full(len(self), np.nan)
        values = typed(self.raw[column.row], column.kind).astype(np.float64)
        values[self.valid[column.row] == 0] = np.nan
        return values

    def integers(self, path: str, missing: int = 0) -> npt.NDArray[np.int64]:
        """Column ``path`` as int64, shape (n,); ``missing`` where null or not in the schema."""
        column = self.columns.get(path)
        if column is None or column.kind not in {op.KIND_INT, op.KIND_LONG}:
            return np.full(len(self), missing, np.int64)
        values = typed(self.raw[column.row], column.kind).astype(np.int64)
        values[self.valid[column.row] == 0] = missing
        return values

    def given(self, path: str) -> Mask:
        """Shape (n,): whether ``path`` is given (not null, and in the schema)."""
        column = self.columns.get(path)
        if column is None:
            return np.zeros(len(self), np.bool_)
        return np.asarray(self.valid[column.row] != 0)

    def given_integer(self, path: str) -> Mask:
        """Shape (n,): whether ``path`` is given, and an integer in this schema."""
        column = self.columns.get(path)
        if column is None or column.kind not in {op.KIND_INT, op.KIND_LONG}:
            return np.zeros(len(self), np.bool_)
        return self.given(path)

    def ragged(self, name: str) -> Ragged:
        """The list ``name``; empty if the schema has none."""
        if name in self.lists:
            return self.lists[name]
        nothing = np.zeros((1, 0), np.uint64)
        return Ragged(np.zeros(len(self) + 1, np.int64), nothing, nothing.astype(np.uint8), {})
