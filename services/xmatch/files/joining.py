"""Puts a piece of a user's table beside what the catalogs have at its positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from services.xmatch.catalog_index import CatalogIndex
from shared.sky.cone_search import ConeMatches, Queries, cone_search

ADDED = (
    pa.field("catalog", pa.string()),
    pa.field("match_id", pa.string()),
    pa.field("separation_arcsec", pa.float64()),
    pa.field("match_class", pa.string()),
    pa.field("redshift", pa.float32()),
)
"""The columns a cross-match adds, null in rows without a match."""

MEMBERS = {"match_id": "source_id", "match_class": "source_class", "redshift": "redshift"}
"""Which member of a catalog's sources each of them is."""

SEPARATION_DECIMALS = 5
"""Ten microarcseconds."""


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What counts as a match."""

    radius_arcsec: float | None = None
    """Radius of every catalog in place of its own; None for the catalogs' own."""
    nearest: bool = False
    """Keep only the nearest source of each catalog."""


def added_names(names: Sequence[str]) -> dict[str, str]:
    """What each added column is called beside a table's own: ``xmatch_...`` if that has one."""
    taken = {name.lower() for name in names}
    called = {}
    for field in ADDED:
        name = field.name
        while name in taken:
            name = f"xmatch_{name}"
        called[field.name] = name
        taken.add(name)
    return called


def join_piece(
    piece: pa.Table, queries: Queries, catalogs: Sequence[CatalogIndex], options: MatchOptions
) -> tuple[pa.Table, int]:
    """A row for each match, nearest first, and one for each row without.

    Parameters
    ----------
    piece
        Rows of the user's table.
    queries
        Their positions.
    catalogs
        What to search.
    options
        What counts as a match.

    Returns
    -------
    The piece's columns and ``ADDED``, and how many of the piece's rows have a match.
    """
    found = [
        cone_search(
            catalog.positions,
            queries,
            radius_arcsec=options.radius_arcsec,
            most=1 if options.nearest else 0,
        )
        for catalog in catalogs
    ]
    query = np.concatenate([np.empty(0, np.int64), *(f.query for f in found)])
    alone = np.ones(piece.num_rows, bool)
    alone[query] = False
    lonely = np.flatnonzero(alone)
    separation = np.concatenate([*(f.separation_arcsec for f in found), np.full(len(lonely), 0.0)])
    query = np.concatenate([query, lonely])
    order = pa.array(np.lexsort((separation, query)))
    added = [_added(catalog, f) for catalog, f in zip(catalogs, found, strict=True)]
    nothing = pa.table([pa.nulls(len(lonely), field.type) for field in ADDED], pa.schema(ADDED))
    columns = pa.concat_tables([*added, nothing]).take(order).combine_chunks()
    joined = piece.take(pa.array(query).take(order))
    for name, called in added_names(piece.column_names).items():
        joined = joined.append_column(called, columns.column(name))
    return joined, piece.num_rows - len(lonely)


def _added(catalog: CatalogIndex, found: ConeMatches) -> pa.Table:
    sources = catalog.sources.take(found.row)
    columns = {
        "catalog": pa.array([catalog.name], pa.string()).take(
            pa.array(np.zeros(len(found.row), np.int64))
        ),
        "separation_arcsec": pa.array(np.round(found.separation_arcsec, SEPARATION_DECIMALS)),
        **{name: sources.field(member) for name, member in MEMBERS.items()},
    }
    return pa.table([columns[f.name].cast(f.type) for f in ADDED], pa.schema(ADDED))
