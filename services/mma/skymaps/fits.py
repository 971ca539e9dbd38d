"""Reads HEALPix maps from FITS: multi-order (UNIQ, PROBDENSITY) and flat (ring or nested)."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from cdshealpix import from_ring

from services.mma.skymaps.multi_order import (
    NORMALISATION_TOLERANCE,
    SQUARE_DEGREES_PER_STERADIAN,
    DistanceLayers,
    MultiOrderMap,
    compile_map,
)
from shared.errors import RejectedRecordError

MAX_NOTICE_MAP_BYTES = 64 * 1024 * 1024
"""What notices carry is below 10 MB once unzipped."""
MAX_FILE_MAP_BYTES = 512 * 1024 * 1024
"""A file of the user's own: a flat LALInference map of nside 1024 is 403 MB unzipped."""
MAX_FLAT_ORDER = 11
MAX_COLUMNS = 999
"""FITS standard 4.0, section 7.3.1."""
_FLAT_COLUMNS = ("PROB", "PROBABILITY", "PROBDENSITY")

FloatArray = npt.NDArray[np.float64]


def read_sky_map(payload: bytes, max_bytes: int = MAX_NOTICE_MAP_BYTES) -> MultiOrderMap:
    """Compile a FITS sky map, gzipped or not, of at most ``max_bytes`` unzipped.

    Multi-order maps: UNIQ with PROBDENSITY per steradian, or per square degree (told by unit
    or by the sum). Flat maps: probability per pixel, ring or nested; equal siblings are merged.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map`` with what is wrong: not FITS, truncated, no HEALPix table, not
        equatorial, too large, or not a probability map.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore", category=AstropyWarning),
            fits.open(io.BytesIO(_unzipped(payload, max_bytes)), memmap=False, cache=False) as file,
        ):
            table = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)), None)
            if table is None:
                raise RejectedRecordError(
                    "bad_sky_map", "the FITS file holds no binary table, or is cut short"
                )
            if not 0 < int(table.header.get("TFIELDS", 0)) <= MAX_COLUMNS:
                # astropy makes objects of as many columns as it is told, in gigabytes.
                raise RejectedRecordError("bad_sky_map", f"not 1 to {MAX_COLUMNS} columns")
            header, rows = table.header, table.data
            names = {name.upper(): name for name in rows.names}
            if str(header.get("COORDSYS", "C")).strip()[:1].upper() not in {"C", "I", ""}:
                raise RejectedRecordError(
                    "bad_sky_map", "only equatorial maps (COORDSYS=C) are read"
                )
            if "UNIQ" in names:
                return _multi_order(header, rows, names)
            return _flat(header, rows, names)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        EOFError,
        OverflowError,
        MemoryError,
        AttributeError,
        fits.VerifyError,
    ) as error:
        raise RejectedRecordError("bad_sky_map", f"not a readable FITS sky map: {error}") from error


def _unzipped(payload: bytes, max_bytes: int) -> bytes:
    if not payload.startswith(b"\x1f\x8b"):
        return payload
    try:
        with gzip.open(io.BytesIO(payload)) as stream:
            opened = stream.read(max_bytes + 1)
    except (EOFError, zlib.error) as error:
        raise RejectedRecordError("bad_sky_map", f"broken gzip: {error}") from error
    if len(opened) > max_bytes:
        raise RejectedRecordError("bad_sky_map", f"larger than {max_bytes} bytes unzipped")
    return opened


def _native(values: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(np.ravel(values), dtype=dtype)


def _distance(header: Any) -> tuple[float | None, float | None]:
    values = [header.get("DISTMEAN"), header.get("DISTSTD")]
    mean, std = (
        float(v) if isinstance(v, int | float) and np.isfinite(v) else None for v in values
    )
    return mean, std


def _multi_order(header: Any, rows: Any, names: dict[str, str]) -> MultiOrderMap:
    uniq = _native(rows[names["UNIQ"]], np.int64)
    if len(uniq) == 0 or uniq.min() < 4:
        raise RejectedRecordError("bad_sky_map", "UNIQ must be 4 or more")
    # uniq = 4 * 4**order + cell; frexp is exact where log2 of a large integer is not.
    order = (np.frexp(uniq.astype(np.float64))[1].astype(np.int64) - 1) // 2 - 1
    cell = uniq - (np.int64(4) << (2 * order))
    density = _native(rows[names["PROBDENSITY"]], np.float64)
    total = float(np.sum(density * (np.pi / 3.0) / (np.int64(1) << (2 * order))))
    if _is_one(total * SQUARE_DEGREES_PER_STERADIAN):
        density = density * SQUARE_DEGREES_PER_STERADIAN
    return compile_map(order, cell, density, *_distance(header), _layers(rows, names))


def _flat(header: Any, rows: Any, names: dict[str, str]) -> MultiOrderMap:
    column = next((names[name] for name in _FLAT_COLUMNS if name in names), None)
    if column is None:
        raise RejectedRecordError("bad_sky_map", f"no column {', '.join(_FLAT_COLUMNS)} or UNIQ")
    values = _native(rows[column], np.float64)
    order = (len(values) // 12).bit_length() // 2
    if order > MAX_FLAT_ORDER or len(values) != 12 << (2 * order):
        raise RejectedRecordError("bad_sky_map", f"{len(values)} pixels are no full HEALPix map")
    is_ring = str(header.get("ORDERING", "RING")).strip().upper().startswith("RING")
    if is_ring:
        values = _nested(values, order)
    pixel_sr = 4.0 * np.pi / len(values)
    per_sr = values / pixel_sr
    for density in (per_sr, values, values * SQUARE_DEGREES_PER_STERADIAN):
        if _is_one(float(np.sum(density)) * pixel_sr):
            per_sr = density
            break
    columns = [per_sr]
    layers = _layers(rows, names)
    if layers is not None:
        given = (layers.mu_mpc, layers.sigma_mpc, layers.norm_per_mpc2)
        columns += [_nested(column, order) if is_ring else column for column in given]
    orders, cells, (density, *merged) = merged_siblings(order, columns)
    return compile_map(
        orders, cells, density, *_distance(header), DistanceLayers(*merged) if merged else None
    )


def _nested(ring: FloatArray, order: int) -> FloatArray:
    """Put the pixels of a map in ring order into nested order."""
    nested = np.empty_like(ring)
    nested[from_ring(np.arange(len(ring), dtype=np.uint64), order).astype(np.int64)] = ring
    return nested


def _layers(rows: Any, names: dict[str, str]) -> DistanceLayers | None:
    wanted = ("DISTMU", "DISTSIGMA", "DISTNORM")
    if not all(name in names for name in wanted):
        return None
    return DistanceLayers.of(*(_native(rows[names[name]], np.float64) for name in wanted))


def _is_one(total: float) -> bool:
    return abs(total - 1.0) <= NORMALISATION_TOLERANCE


def merged_siblings(
    order: int, columns: list[FloatArray]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[FloatArray]]:
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
    orders: list[npt.NDArray[np.int64]] = []
    cells: list[npt.NDArray[np.int64]] = []
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
