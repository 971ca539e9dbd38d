"""Reads HEALPix maps from FITS: multi-order (UNIQ, PROBDENSITY) and flat (ring or nested)."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from services.mma.skymaps.flat import (
    density_of,
    merged_siblings,
    native,
    pixels_of,
    probability_column,
    turned_to_equatorial,
)
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
_BLOCK = 2880
_LONGEST_HEADER = 400 * _BLOCK
MAX_COLUMNS = 999
"""FITS standard 4.0, section 7.3.1."""


def read_sky_map(payload: bytes, max_bytes: int = MAX_NOTICE_MAP_BYTES) -> MultiOrderMap:
    """Compile a FITS sky map, gzipped or not, of at most ``max_bytes`` unzipped.

    Multi-order maps: UNIQ with PROBDENSITY per steradian. Flat maps: probability per pixel, ring
    or nested, full or with a column of pixels, equatorial or Galactic; equal siblings are merged.
    Densities per square degree (or steradian) are told by the sum; what was repaired stands in
    the map's ``remarks``.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map`` with what is wrong: not FITS, truncated, no HEALPix table, not
        equatorial, too large, or not a probability map.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore", category=AstropyWarning),
            fits.open(
                io.BytesIO(_with_table(payload, max_bytes)), memmap=False, cache=False
            ) as file,
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


def _with_table(payload: bytes, max_bytes: int) -> bytes:
    """The file unzipped, if its headers end and a table follows: astropy looks for minutes."""
    content = _unzipped(payload, max_bytes)
    start = content.find(b"XTENSION= 'BINTABLE'")
    if start < 0 or start % _BLOCK:
        raise RejectedRecordError(
            "bad_sky_map", "the FITS file holds no binary table, or is cut short"
        )
    for header in (0, start):
        cards = range(header, min(header + _LONGEST_HEADER, len(content)), 80)
        if not any(content[at : at + 80].rstrip() == b"END" for at in cards):
            raise RejectedRecordError("bad_sky_map", "a header of the FITS file does not end")
    return content


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


def _distance(header: Any) -> tuple[float | None, float | None]:
    values = [header.get("DISTMEAN"), header.get("DISTSTD")]
    mean, std = (
        float(v) if isinstance(v, int | float) and np.isfinite(v) else None for v in values
    )
    return mean, std


def _multi_order(header: Any, rows: Any, names: dict[str, str]) -> MultiOrderMap:
    if _frame_of(header) != "C":
        raise RejectedRecordError("bad_sky_map", "multi-order maps must be equatorial (COORDSYS=C)")
    uniq = native(rows[names["UNIQ"]], np.int64)
    if len(uniq) == 0 or uniq.min() < 4:
        raise RejectedRecordError("bad_sky_map", "UNIQ must be 4 or more")
    # uniq = 4 * 4**order + cell; frexp is exact where log2 of a large integer is not.
    order = (np.frexp(uniq.astype(np.float64))[1].astype(np.int64) - 1) // 2 - 1
    cell = uniq - (np.int64(4) << (2 * order))
    density = probability_column(rows, {k: v for k, v in names.items() if k != "UNIQ"})
    area_sr = np.pi / 3.0 / 4.0**order
    total, remarks = float(np.sum(density * area_sr)), []
    if not _is_one(total):
        if _is_one(total * SQUARE_DEGREES_PER_STERADIAN):
            density = density * SQUARE_DEGREES_PER_STERADIAN
            remarks.append("the values are densities per square degree")
        elif _is_one(float(np.sum(density))):
            density = density / area_sr
            remarks.append("the values are probabilities per cell")
    compiled = compile_map(order, cell, density, *_distance(header), _layers(rows, names))
    return _with_remarks(compiled, remarks)


def _flat(header: Any, rows: Any, names: dict[str, str]) -> MultiOrderMap:
    values = probability_column(rows, names)
    order, pixels = pixels_of(header, rows, names, len(values))
    density, remark = density_of(values, order)
    layers = _layers(rows, names)
    columns = [density]
    if layers is not None:
        columns += [layers.mu_mpc, layers.sigma_mpc, layers.norm_per_mpc2]
    remarks = [remark] if remark else []
    if _frame_of(header) == "G":
        total = float(np.sum(density)) * np.pi / 3.0 / 4.0**order
        order, pixels, columns = turned_to_equatorial(order, pixels, columns)
        # Sampling loses or wins a little, which is not the map's fault.
        columns[0] = columns[0] * (total / (float(np.sum(columns[0])) * np.pi / 3.0 / 4.0**order))
        remarks.append("it was in Galactic coordinates and was turned")
    if len(pixels) == 12 << (2 * order):
        nested = [np.empty_like(column) for column in columns]
        for into, column in zip(nested, columns, strict=True):
            into[pixels] = column
        orders, cells, columns = merged_siblings(order, nested)
    else:
        orders, cells = np.full(len(pixels), order, dtype=np.int64), pixels
    along = DistanceLayers(*columns[1:]) if layers is not None else None
    compiled = compile_map(orders, cells, columns[0], *_distance(header), along)
    return _with_remarks(compiled, remarks)


def _frame_of(header: Any) -> str:
    """C for equatorial maps, which is also what maps are that say nothing, or G for Galactic.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``, for any other frame.
    """
    said = str(header.get("COORDSYS", "C")).strip().upper()
    if said[:1] in {"", "C", "I"} or said in {"EQUATORIAL", "J2000", "FK5", "Q"}:
        return "C"
    if said[:1] == "G":
        return "G"
    raise RejectedRecordError(
        "bad_sky_map", f"COORDSYS {said[:20]!r}: only equatorial (C) and Galactic (G) maps are read"
    )


def _with_remarks(compiled: MultiOrderMap, remarks: list[str]) -> MultiOrderMap:
    if abs(compiled.sum_as_given - 1.0) > 1e-5:
        remarks = [*remarks, f"the map's sum is {compiled.sum_as_given:.6g}; "
                   "it was normalised to 1"]  # fmt: skip
    return replace(compiled, remarks=tuple(remarks)) if remarks else compiled


def _layers(rows: Any, names: dict[str, str]) -> DistanceLayers | None:
    wanted = ("DISTMU", "DISTSIGMA", "DISTNORM")
    if not all(name in names for name in wanted):
        return None
    return DistanceLayers.of(*(native(rows[names[name]], np.float64) for name in wanted))


def _is_one(total: float) -> bool:
    return abs(total - 1.0) <= NORMALISATION_TOLERANCE
