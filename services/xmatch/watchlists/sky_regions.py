"""Reads a region of the sky from a MOC, as sorted ranges of HEALPix cells of order 29.

Format: IVOA MOC 2.0 in its FITS, ASCII and JSON forms, read by mocpy.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.xmatch.watchlists.entries import WatchlistError
from shared.sky.healpix import DEEPEST_ORDER

MAX_FILE_BYTES = 256 * 1024**2
MOST_RANGES = 20_000_000
LAST_CELL = 12 * 4**29
"""One past the last cell of order 29."""
_ASCII = re.compile(rb"\s*s?\s*\d{1,2}/[\d\s,/-]*\Z")
_FITS_BLOCK = 2880
_HEAD_BYTES = _FITS_BLOCK * 4


def moc_format(path: Path) -> str | None:
    """``fits``, ``ascii`` or ``json`` if the file looks like a MOC; None if it does not."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"SIMPLE  ="):
        is_moc = re.search(rb"MOCVERS|MOCORDER|MOCORD_S", head) is not None
        return "fits" if is_moc else None
    if head.lstrip().startswith(b"{"):
        return "json"
    return "ascii" if _ASCII.match(head) else None


def read_region(path: Path) -> npt.NDArray[np.int64]:
    """Read a MOC.

    Returns
    -------
    Ranges, first cell and one past the last, in order and apart, shape (n, 2).

    Raises
    ------
    WatchlistError
        If it is no MOC, or covers nothing.
    """
    kind = moc_format(path)
    if kind is None:
        raise WatchlistError(f"{path} is no MOC: neither FITS with MOC keywords nor '3/1,4-9'")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise WatchlistError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
    _require_whole(path, kind)
    from mocpy import MOC  # noqa: PLC0415  # only who imports a region needs it

    try:
        ranges = MOC.load(str(path), kind).to_depth29_ranges
    except Exception as error:  # mocpy raises what its parser raises
        raise _no_moc(path, error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what a bug in its Rust raises
            raise
        raise _no_moc(path, error) from error
    ordered = np.asarray(ranges, dtype=np.int64).reshape(-1, 2)
    if not len(ordered):
        raise WatchlistError(f"{path} covers nothing")
    is_right = (ordered[:, 0] < ordered[:, 1]).all() and (ordered[1:, 0] > ordered[:-1, 1]).all()
    if not is_right or ordered[0, 0] < 0 or ordered[-1, 1] > LAST_CELL:
        raise WatchlistError(f"{path}: its cells are not all on the sphere, or lie over another")
    if len(ordered) > MOST_RANGES:
        raise WatchlistError(f"{path}: more than {MOST_RANGES:,} ranges; degrade the MOC")
    return ordered


def _require_whole(path: Path, kind: str) -> None:
    """Refuse what mocpy would read as far as it goes, or at its own discretion."""
    content = path.read_bytes()
    if kind == "fits":
        sizes = [
            re.search(rb"NAXIS%d\s*=\s*(\d+)" % axis, content[:_HEAD_BYTES]) for axis in (1, 2)
        ]
        data_bytes = math.prod(int(size[1]) for size in sizes if size is not None)
        if len(content) % _FITS_BLOCK or len(content) < 2 * _FITS_BLOCK + data_bytes:
            raise WatchlistError(f"{path} is cut short: {len(content)} bytes")
        return
    if kind == "ascii":
        orders = {int(order) for order in re.findall(rb"(\d+)\s*/", content)}
    else:
        try:
            cells = json.loads(content)
            orders = {int(order) for order in cells}
            is_right = all(type(cell) is int for held in cells.values() for cell in held)
        except (ValueError, TypeError, AttributeError) as error:
            raise _no_moc(path, error) from error
        if not is_right:
            raise WatchlistError(f"{path} cannot be read as a MOC: a cell is not an integer")
    if orders and max(orders) > DEEPEST_ORDER:
        raise WatchlistError(f"{path}: order {max(orders)}; the deepest is {DEEPEST_ORDER}")


def _no_moc(path: Path, error: BaseException) -> WatchlistError:
    return WatchlistError(f"{path} cannot be read as a MOC: {' '.join(str(error).split())[:300]}")


def sky_fraction(ranges: npt.NDArray[np.int64]) -> float:
    """Part of the sky that ranges cover."""
    return float((ranges[:, 1] - ranges[:, 0]).sum(dtype=np.float64) / LAST_CELL)
