"""Who may see which hit: a private watchlist or region exists for its owner's filters only.

Not only are others' private hits left out of what is sent: a filter is run on what its owner may
see, or the alerts that it selects would tell what is on the list.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.schemas.watched import IS_PUBLIC, OWNER, WATCHED

_NAMES = tuple(field.name for field in WATCHED)


def private_owners(table: pa.Table) -> dict[str, npt.NDArray[np.bool_]]:
    """Owners of private hits, and in which rows they have any, shape (n,)."""
    rows_of: dict[str, npt.NDArray[np.bool_]] = {}
    for name in _NAMES:
        column = _column(table, name)
        if column is None:
            continue
        hits = column.flatten()
        is_private = pc.invert(pc.fill_null(hits.field(IS_PUBLIC), False))
        if not pc.any(is_private).as_py():
            continue
        private = pa.table({"row": pc.list_parent_indices(column), "owner": hits.field(OWNER)})
        by_owner = private.filter(is_private).group_by("owner").aggregate([("row", "list")])
        for entry in by_owner.to_pylist():
            rows = rows_of.setdefault(entry["owner"] or "", np.zeros(len(table), np.bool_))
            rows[entry["row_list"]] = True
    return rows_of


def seen_by(table: pa.Table, owner: str | None) -> pa.Table:
    """The table with public hits, and the private ones of ``owner``; None: of nobody."""
    for name in _NAMES:
        column = _column(table, name)
        if column is None:
            continue
        hits = column.flatten()
        may_see = pc.fill_null(hits.field(IS_PUBLIC), False)
        if owner is not None:
            may_see = pc.or_(may_see, pc.fill_null(pc.equal(hits.field(OWNER), owner), False))
        if pc.all(may_see).as_py() in {True, None}:
            continue
        place = table.schema.get_field_index(name)
        kept = _only(column, hits, np.asarray(may_see.to_numpy(zero_copy_only=False)))
        table = table.set_column(place, table.schema.field(place), kept)
    return table


def _only(
    column: pa.ListArray, hits: pa.StructArray, may_see: npt.NDArray[np.bool_]
) -> pa.ListArray:
    """A column of lists with some of their items."""
    parents = np.asarray(pc.list_parent_indices(column))
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.bincount(parents[may_see], minlength=len(column)), out=offsets[1:])
    # Arrow marks a null list by a null offset at its beginning.
    starts = pa.array(offsets, mask=np.append(np.asarray(column.is_null()), False))
    return pa.ListArray.from_arrays(starts, hits.filter(pa.array(may_see)), type=column.type)


def _column(table: pa.Table, name: str) -> pa.ListArray | None:
    """A column of lists in one piece; None if there is none, or nothing in it."""
    if table.schema.get_field_index(name) < 0:
        return None
    chunked = table.column(name)
    if chunked.null_count == len(chunked):
        return None
    combined = chunked.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
