"""Reads HEALPix maps from FITS: multi-order (UNIQ, PROBDENSITY) and flat (ring or nested)."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from cdshealpix import from_ring

from services.mma.skymaps.multi_order import (
    NORMALISATION_TOLERANCE,
    SQUARE_DEGREES_PER_STERADIAN,
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
        with fits.open(
            io.BytesIO(_unzipped(payload, max_bytes)), memmap=False, cache=False
        ) as file:
            table = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)), None)
            if table is None:
                raise RejectedRecordError("bad_sky_map", "the FITS file holds no binary table")
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
    return compile_map(order, cell, density, *_distance(header))


def _flat(header: Any, rows: Any, names: dict[str, str]) -> MultiOrderMap:
    column = next((names[name] for name in _FLAT_COLUMNS if name in names), None)
    if column is None:
        raise RejectedRecordError("bad_sky_map", f"no column {', '.join(_FLAT_COLUMNS)} or UNIQ")
    values = _native(rows[column], np.float64)
    order = (len(values) // 12).bit_length() // 2
    if order > MAX_FLAT_ORDER or len(values) != 12 << (2 * order):
        raise RejectedRecordError("bad_sky_map", f"{len(values)} pixels are no full HEALPix map")
    if str(header.get("ORDERING", "RING")).strip().upper().startswith("RING"):
        nested = from_ring(np.arange(len(values), dtype=np.uint64), order)
        ring_values, values = values, np.empty_like(values)
        values[nested.astype(np.int64)] = ring_values
    pixel_sr = 4.0 * np.pi / len(values)
    per_sr = values / pixel_sr
    for density in (per_sr, values, values * SQUARE_DEGREES_PER_STERADIAN):
        if _is_one(float(np.sum(density)) * pixel_sr):
            per_sr = density
            break
    return compile_map(*_merged(order, per_sr), *_distance(header))


def _is_one(total: float) -> bool:
    return abs(total - 1.0) <= NORMALISATION_TOLERANCE


def _merged(
    order: int, density: FloatArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Join four equal siblings again and again: flat maps are mostly rasterised coarse ones."""
    orders: list[npt.NDArray[np.int64]] = []
    cells: list[npt.NDArray[np.int64]] = []
    densities: list[FloatArray] = []
    whole = np.ones(len(density), dtype=bool)
    while True:
        joined = np.zeros(len(density) // 4, dtype=bool)
        if order > 0:
            siblings = density.reshape(-1, 4)
            joined = whole.reshape(-1, 4).all(axis=1) & (siblings == siblings[:, :1]).all(axis=1)
        kept = np.flatnonzero(whole & ~np.repeat(joined, 4)) if order > 0 else np.flatnonzero(whole)
        orders.append(np.full(len(kept), order, dtype=np.int64))
        cells.append(kept.astype(np.int64))
        densities.append(density[kept])
        if not joined.any():
            return np.concatenate(orders), np.concatenate(cells), np.concatenate(densities)
        density, whole, order = density.reshape(-1, 4)[:, 0], joined, order - 1
