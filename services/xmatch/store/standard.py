"""Catalog rows as an Arrow table, as they are spilled, sorted and kept in HATS; and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.catalog_index import WORDS
from services.xmatch.catalogs.base import NUMERIC_COLUMNS, Catalog, CatalogRows
from services.xmatch.indexing import numeric_columns, on_sphere
from shared.sky.healpix import healpix29_of

CELL = "_healpix_29"
"""HATS's own name for the nested cell of order 29."""

PLACE = (CELL, "ra_deg", "dec_deg")
REACH = "reach_arcsec"

FIRST_SHOWN = 10


@dataclass(slots=True)
class Account:
    """What became of the rows of a catalog's files."""

    read: int = 0
    kept: int = 0
    bad: int = 0
    """Rows whose position is not on the sphere."""
    first_bad: list[str] = field(default_factory=list)
    """The first of them: file, row (the first is 1), position."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows left out on purpose, by reason."""


def standard_table(
    catalog: Catalog, rows: CatalogRows, account: Account, file_name: str, rows_before: int
) -> pa.Table:
    """The good rows as a table, the others counted in ``account``.

    Parameters
    ----------
    catalog, rows
        The catalog and some rows of its file.
    account
        Where rows are counted.
    file_name, rows_before
        The file, and how many of its rows came before these, to name a bad row.
    """
    good = on_sphere(rows.ra_deg, rows.dec_deg)
    account.kept += int(good.sum())
    account.bad += int((~good).sum())
    for reason, count in rows.left_out.items():
        account.left_out[reason] = account.left_out.get(reason, 0) + count
    for row in np.flatnonzero(~good)[: FIRST_SHOWN - len(account.first_bad)]:
        in_table = row if rows.file_row is None else rows.file_row[row]
        account.first_bad.append(
            f"{file_name} row {rows_before + int(in_table) + 1}: "
            f"RA {rows.ra_deg[row]:g}, Dec {rows.dec_deg[row]:g}"
        )
    columns: dict[str, Any] = {
        CELL: healpix29_of(rows.ra_deg, rows.dec_deg),
        "ra_deg": np.where(good, rows.ra_deg, 0.0) % 360.0,
        "dec_deg": rows.dec_deg,
    }
    if isinstance(rows.reach_arcsec, np.ndarray):
        columns[REACH] = rows.reach_arcsec
    columns["source_id"] = rows.source_id
    kind = pa.string()
    columns["source_class"] = rows.source_class.cast(kind)
    for name, values in numeric_columns(catalog, rows).items():
        columns[name] = pa.array(values, from_pandas=True)
    for name, values in rows.photometry.items():
        columns[name] = pa.array(np.asarray(values, np.float32), from_pandas=True)
    table = pa.table(columns)
    return table if good.all() else table.filter(pa.array(good))


def rows_of(table: pa.Table, radius_arcsec: float) -> CatalogRows:
    """The rows of a ``standard_table``; without a reach of their own they have the radius."""

    def numbers(name: str) -> npt.NDArray[Any]:
        return np.asarray(table.column(name).to_numpy())

    own: dict[str, Any] = {n: numbers(n) for n in NUMERIC_COLUMNS if n in table.column_names}
    return CatalogRows(
        ra_deg=numbers("ra_deg"),
        dec_deg=numbers("dec_deg"),
        reach_arcsec=numbers(REACH) if REACH in table.column_names else radius_arcsec,
        source_id=table.column("source_id").combine_chunks(),
        source_class=table.column("source_class").combine_chunks(),
        photometry={name: numbers(name) for name in photometry_names(table.schema)},
        **own,
    )


def photometry_names(schema: pa.Schema) -> list[str]:
    """The magnitudes in a ``standard_table``."""
    standard = {*PLACE, REACH, *WORDS, *NUMERIC_COLUMNS}
    return [name for name in schema.names if name not in standard]
