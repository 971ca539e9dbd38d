"""Which columns of a user's table are positions, and which of its rows have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.files.errors import UnusableFileError
from shared.sky.cone_search import Queries
from shared.sky.proper_motion import julian_year
from shared.sky.separation import is_on_sky

KNOWN_PAIRS = (
    ("ra", "dec"),
    ("ra_deg", "dec_deg"),
    ("raj2000", "dej2000"),
    ("ra_icrs", "de_icrs"),
    ("ra", "decl"),
)
"""Names of columns, in any case, that are taken for ICRS positions in degrees."""


@dataclass(frozen=True, slots=True)
class PositionColumns:
    """Where the positions and their times are."""

    ra: str
    dec: str
    mjd: str | None = None
    epoch_year: float = float("nan")
    """Of all rows, if no column says it."""


def find_columns(
    names: Sequence[str],
    ra: str | None,
    dec: str | None,
    mjd: str | None,
    epoch_year: float | None,
) -> PositionColumns:
    """The columns that were asked for, in any case, or those with names that are known.

    Raises
    ------
    UnusableFileError
        If there are none such; the message lists those there are.
    """
    lowered = {name.lower(): name for name in reversed(names)}
    there = f"its columns are {', '.join(names)}"
    if ra and dec:
        pair = (ra, dec)
    else:
        known = [p for p in KNOWN_PAIRS if p[0] in lowered and p[1] in lowered]
        if not known:
            raise UnusableFileError(
                f"no columns ra and dec; name yours with --ra COL --dec COL: {there}"
            )
        pair = known[0]
    chosen = []
    for name in (*pair, *([mjd] if mjd else [])):
        found = name if name in names else lowered.get(name.lower())
        if found is None:
            raise UnusableFileError(f"no column {name}: {there}")
        chosen.append(found)
    year = float("nan") if epoch_year is None else epoch_year
    return PositionColumns(chosen[0], chosen[1], chosen[2] if mjd else None, year)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of a piece that cannot be matched, and why."""

    row: int
    reason: str


def queries_of(piece: pa.Table, columns: PositionColumns) -> tuple[Queries, list[BadRow]]:
    """Positions of a piece's rows; those without one match nothing and are told apart."""
    ra = _degrees(piece, columns.ra)
    dec = _degrees(piece, columns.dec)
    year: npt.NDArray[np.float64] | float = columns.epoch_year
    if columns.mjd is not None:
        year = julian_year(_degrees(piece, columns.mjd))
    good = is_on_sky(ra, dec)
    bad = [
        BadRow(int(row), _reason(piece, columns, int(row), ra[row], dec[row]))
        for row in np.flatnonzero(~good)
    ]
    ra, dec = np.where(good, ra, np.nan), np.where(good, dec, np.nan)
    return Queries.at(ra, dec, year), bad


def _degrees(piece: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A column as float64, NaN for what is no number."""
    column = piece.column(name).combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        number = pc.match_substring_regex(text, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
        column = pc.if_else(number, text, pa.scalar(None, column.type)).cast(pa.float64())
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise UnusableFileError(f"column {name} holds {column.type}, not numbers")
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def _reason(piece: pa.Table, columns: PositionColumns, row: int, ra: float, dec: float) -> str:
    """Why a row has no position."""
    for name, value, limits in ((columns.ra, ra, "[-360, 360]"), (columns.dec, dec, "[-90, 90]")):
        given = piece.column(name)[row].as_py()
        if given is None or (isinstance(given, str) and not given.strip()):
            return f"{name} is missing"
        if not np.isfinite(value):
            hint = "; give degrees" if isinstance(given, str) and ":" in given else ""
            return f"{name} is {given!r}, not a number{hint}"
        if not abs(value) <= (360.0 if name == columns.ra else 90.0):
            return f"{name} is {value:g}, outside {limits}"
    return "not a place on the sky"
