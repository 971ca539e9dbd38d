"""Reads a user's list of positions: any table the catalog store reads, one row a position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import Catalog, CatalogRows, CatalogUnavailableError
from services.xmatch.store.tables import read_tables
from services.xmatch.watchlists.entries import (
    DEFAULT_RADIUS_ARCSEC,
    LARGEST_RADIUS_ARCSEC,
    MOST_ROWS,
    WatchlistError,
)

RA_NAMES = ("ra", "ra_deg", "raj2000", "_raj2000", "ra_icrs")
DEC_NAMES = ("dec", "dec_deg", "dej2000", "_dej2000", "de_icrs", "decl")
RADIUS_NAMES = ("radius_arcsec", "radius")
TARGET_NAMES = ("name", "target", "id", "object_id", "source_id", "main_id")
MAX_TARGET = 100
"""Longest name of a target that is kept, characters."""
_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What the user calls the columns; None: one of the usual names."""

    ra: str | None = None
    dec: str | None = None
    radius: str | None = None
    target: str | None = None
    radius_arcsec: float = DEFAULT_RADIUS_ARCSEC
    """Of rows without one of their own."""


@dataclass(frozen=True, slots=True)
class WatchRows:
    """The good rows of a list."""

    ra_deg: npt.NDArray[np.float64]
    dec_deg: npt.NDArray[np.float64]
    radius_arcsec: npt.NDArray[np.float64]
    target: pa.Array
    """String, null where there is none, shape (m,)."""
    bad_rows: int = 0
    first_bad_rows: tuple[int, ...] = ()


def read_positions(path: Path, names: ColumnNames) -> WatchRows:
    """Read a list.

    Parameters
    ----------
    path
        CSV, FITS, VOTable or Parquet, with ICRS positions in degrees.
    names
        Its columns. A radius is in arcseconds.

    Raises
    ------
    WatchlistError
        If it cannot be read, lacks a column, or holds no good row.
    """
    parts: list[WatchRows] = []
    seen = 0
    try:
        for table in _tables(path):
            parts.append(_good_rows(table, names, seen))
            seen += table.num_rows
            if seen > MOST_ROWS:
                raise WatchlistError(f"{path}: more than {MOST_ROWS:,} rows; split the list")
    except CatalogUnavailableError as error:
        raise WatchlistError(str(error).partition("; get it anew")[0]) from error
    bad = [row for part in parts for row in part.first_bad_rows][:10]
    rows = WatchRows(
        np.concatenate([part.ra_deg for part in parts] or [np.zeros(0)]),
        np.concatenate([part.dec_deg for part in parts] or [np.zeros(0)]),
        np.concatenate([part.radius_arcsec for part in parts] or [np.zeros(0)]),
        pa.concat_arrays([part.target for part in parts] or [pa.nulls(0, pa.string())]),
        sum(part.bad_rows for part in parts),
        tuple(bad),
    )
    if not len(rows.ra_deg):
        what = f"all {seen:,} rows are bad, from row {bad[0]} on" if bad else "it has no rows"
        raise WatchlistError(
            f"{path}: {what}; wanted are RA in [0, 360) and Dec in [-90, 90], degrees, and radii "
            f"up to {LARGEST_RADIUS_ARCSEC:.0f} arcsec"
        )
    return rows


def _tables(path: Path) -> Iterator[pa.Table]:
    """The file's tables, whatever its format; none of the columns is known beforehand."""
    return read_tables(
        Catalog(
            name="watchlist", title=path.name, kind="watchlist", reference="", licence="",
            radius_arcsec=DEFAULT_RADIUS_ARCSEC, epoch_year=2000.0, magnitude_band=None,
            mend="tocsin watchlists import", rows=_never,
        ),
        path,
    )  # fmt: skip


def _never(_: pa.Table) -> CatalogRows:
    raise AssertionError("a watchlist is not read as a catalog's rows")


def _good_rows(table: pa.Table, names: ColumnNames, before: int) -> WatchRows:
    ra_deg = _floats(_required(table, names.ra, RA_NAMES, "right ascension", "--ra-column"))
    dec_deg = _floats(_required(table, names.dec, DEC_NAMES, "declination", "--dec-column"))
    radius_column = _column(table, names.radius, RADIUS_NAMES)
    target = _column(table, names.target, TARGET_NAMES)
    radius = np.full(len(ra_deg), names.radius_arcsec)
    is_good = (ra_deg >= 0) & (ra_deg < 360) & (np.abs(dec_deg) <= 90)
    if radius_column is not None:
        own = _floats(radius_column)
        is_given = ~_is_blank(radius_column)
        radius = np.where(is_given, own, radius)
    is_good &= (radius > 0) & (radius <= LARGEST_RADIUS_ARCSEC)
    bad = np.flatnonzero(~is_good)
    keep = pa.array(is_good)
    texts = pa.nulls(len(ra_deg), pa.string()) if target is None else _texts(target)
    return WatchRows(
        ra_deg[is_good],
        dec_deg[is_good],
        radius[is_good],
        texts.filter(keep),
        len(bad),
        tuple((bad[:10] + before + 1).tolist()),
    )


def _required(
    table: pa.Table, name: str | None, usual: Sequence[str], what: str, option: str
) -> pa.Array:
    column = _column(table, name, usual)
    if column is None:
        raise CatalogUnavailableError(
            f"no column of {what} among {', '.join(table.column_names)[:300]}; name it: {option}"
        )
    return column


def _column(table: pa.Table, name: str | None, usual: Sequence[str]) -> pa.Array | None:
    """The column the user named, else the first of the usual names, in any case of letters."""
    lowered = {column.lower(): column for column in reversed(table.column_names)}
    if name is not None and name.lower() not in lowered:
        raise CatalogUnavailableError(
            f"no column {name!r} among {', '.join(table.column_names)[:300]}"
        )
    wanted = [name.lower()] if name is not None else usual
    found = next((lowered[one] for one in wanted if one in lowered), None)
    if found is None:
        return None
    chunked = table.column(found)
    return chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)


def _is_text(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    """As float64, NaN where it is no number."""
    if _is_text(array):
        is_number = pc.fill_null(pc.match_substring_regex(array, _NUMBER), False)
        array = pc.if_else(is_number, pc.utf8_trim_whitespace(array), pa.scalar(None, array.type))
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _is_blank(array: pa.Array) -> npt.NDArray[np.bool_]:
    blank = pc.is_null(array, nan_is_null=True)
    if _is_text(array):
        blank = pc.or_(blank, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(array), ""), True))
    return np.asarray(blank.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _texts(array: pa.Array) -> pa.Array:
    """As text of at most ``MAX_TARGET`` characters; blank is null."""
    text = pc.utf8_trim_whitespace(array.cast(pa.string()))
    cut = pc.utf8_slice_codeunits(text, 0, MAX_TARGET)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), cut)
