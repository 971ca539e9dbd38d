"""Flat HEALPix maps: a value for every pixel of one order, ring or nested, or for some pixels.

Probability per pixel, or density per steradian or per square degree: the sum tells which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from cdshealpix import from_ring

from services.mma.skymaps.base import FloatArray
from services.mma.skymaps.compiled import cell_centres_deg
from services.mma.skymaps.multi_order import (
    NORMALISATION_TOLERANCE,
    SQUARE_DEGREES_PER_STERADIAN,
)
from shared.errors import RejectedRecordError
from shared.sky.healpix import DEEPEST_ORDER, healpix29_of

MAX_FLAT_ORDER = 11
PROBABILITY_COLUMNS = ("PROB", "PROBABILITY", "PROBDENSITY")
_PIXEL_COLUMNS = ("PIXEL", "PIX", "IPIX", "HPX_PIXEL")
_UNSEEN = -1.6375e30
_FINER_BY = 3
"""Orders by which a map in Galactic coordinates is refined when it is turned."""
CellNumbers = npt.NDArray[np.int64]


def native(values: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A FITS column in the machine's byte order, one value after the other."""
    return np.ascontiguousarray(np.ravel(values), dtype=dtype)


def probability_column(rows: Any, names: dict[str, str]) -> FloatArray:
    """The column of the probability: by its name, else the first of numbers.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``, if no column has numbers.
    """
    name = next((names[name] for name in PROBABILITY_COLUMNS if name in names), None)
    if name is None:
        numeric = (n for n in rows.names if rows[n].dtype.base.kind == "f")
        name = next(numeric, None)
    if name is None:
        raise RejectedRecordError(
            "bad_sky_map", f"no column {', '.join(PROBABILITY_COLUMNS)} or UNIQ, nor any of numbers"
        )
    values = native(rows[name], np.float64)
    return np.where(np.isclose(values, _UNSEEN, rtol=1e-3, atol=0.0), 0.0, values)


def pixels_of(header: Any, rows: Any, names: dict[str, str], n: int) -> tuple[int, CellNumbers]:
    """HEALPix order and nested pixel of each of ``n`` values.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``, if they are neither a full map nor numbered by a column.
    """
    ordering = str(header.get("ORDERING", "RING")).strip().upper()
    column = next((names[name] for name in _PIXEL_COLUMNS if name in names), None)
    nside = header.get("NSIDE")
    if column is not None and isinstance(nside, int):
        order = nside.bit_length() - 1
        if nside != 1 << order or order > DEEPEST_ORDER:
            raise RejectedRecordError("bad_sky_map", f"NSIDE {nside} is no power of two to 2^29")
        pixels = native(rows[column], np.int64)
        if len(pixels) != n or (n and not 0 <= pixels.min() <= pixels.max() < 12 << (2 * order)):
            raise RejectedRecordError("bad_sky_map", f"column {column} has no pixels of that NSIDE")
    else:
        order = (n // 12).bit_length() // 2
        if order > MAX_FLAT_ORDER or n != 12 << (2 * order):
            raise RejectedRecordError("bad_sky_map", f"{n} pixels are no full HEALPix map")
        pixels = np.arange(n, dtype=np.int64)
    if ordering.startswith("RING"):
        pixels = from_ring(pixels.astype(np.uint64), order).astype(np.int64)
    return order, pixels


def density_of(values: FloatArray, order: int) -> tuple[FloatArray, str]:
    """Probability per steradian, whatever the values are; and a remark if they are not per pixel.

    What fits nothing is returned as if per pixel, and refused for its sum later.
    """
    pixel_sr = np.pi / 3.0 / 4.0**order
    total = float(np.sum(values))
    if abs(total - 1.0) > NORMALISATION_TOLERANCE:
        for unit, factor in (
            ("steradian", 1.0),
            ("square degree", SQUARE_DEGREES_PER_STERADIAN),
        ):
            if abs(total * factor * pixel_sr - 1.0) <= NORMALISATION_TOLERANCE:
                return values * factor, f"the values are densities per {unit}"
    return values / pixel_sr, ""


def turned_to_equatorial(
    order: int, pixels: CellNumbers, columns: list[FloatArray]
) -> tuple[int, CellNumbers, list[FloatArray]]:
    """A full Galactic map sampled at the centres of equatorial pixels an eighth as wide.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``, for a map of some pixels only.
    """
    from astropy.coordinates import Galactic, SkyCoord  # noqa: PLC0415 - slow, rarely needed

    if len(pixels) != 12 << (2 * order):
        raise RejectedRecordError("bad_sky_map", "a Galactic map must be full")
    finer = max(order, min(order + _FINER_BY, MAX_FLAT_ORDER - 1))
    cells = np.arange(12 << (2 * finer), dtype=np.int64)
    ra_deg, dec_deg = cell_centres_deg(cells, finer)
    turned = SkyCoord(ra_deg, dec_deg, unit="deg", frame="icrs").transform_to(Galactic())
    shift = 2 * (DEEPEST_ORDER - order)
    source = healpix29_of(turned.l.deg, turned.b.deg) >> shift
    at = np.empty(len(pixels), dtype=np.int64)
    at[pixels] = np.arange(len(pixels))
    return finer, cells, [column[at[source]] for column in columns]


def merged_siblings(
    order: int, columns: list[FloatArray]
) -> tuple[CellNumbers, CellNumbers, list[FloatArray]]:
    """Join four equal siblings again and again: flat maps are mostly rasterised coarse ones.

    Parameters
    ----------
    order
        HEALPix order of the flat map.
    columns
        Nested pixels, each of shape (12 * 4**order,); siblings must be equal in all.

    Returns
    -------
    Order and nested cell number of every row left, and the columns there.
    """
    orders: list[CellNumbers] = []
    cells: list[CellNumbers] = []
    kept_columns: list[list[FloatArray]] = [[] for _ in columns]
    whole = np.ones(len(columns[0]), dtype=bool)
    while True:
        joined = np.zeros(len(whole) // 4, dtype=bool)
        if order > 0:
            joined = np.all(whole.reshape(-1, 4), axis=1)
            for column in columns:
                siblings = column.reshape(-1, 4)
                joined = joined & np.all(siblings == siblings[:, :1], axis=1)
        kept = np.flatnonzero(whole & ~np.repeat(joined, 4)) if order > 0 else np.flatnonzero(whole)
        orders.append(np.full(len(kept), order, dtype=np.int64))
        cells.append(kept.astype(np.int64))
        for into, column in zip(kept_columns, columns, strict=True):
            into.append(column[kept])
        if not joined.any():
            merged = [np.concatenate(parts) for parts in kept_columns]
            return np.concatenate(orders), np.concatenate(cells), merged
        columns = [column.reshape(-1, 4)[:, 0] for column in columns]
        whole, order = joined, order - 1
