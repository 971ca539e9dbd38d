"""Reads the first binary table of a FITS file in pieces."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from astropy.io import fits

from services.xmatch.catalogs.base import CatalogUnavailableError


def read_fits(path: Path, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.Table]:
    """Tables of at most ``batch_rows`` rows with those of ``columns`` the file has (none: all).

    Columns of more than one number in a row are left out, unless they are text.

    Raises
    ------
    CatalogUnavailableError
        If there is no binary table, or the file is shorter than its header says.
    """
    try:
        with warnings.catch_warnings(action="ignore"), fits.open(path, memmap=True) as units:
            # astropy warns of a file that is too short; below it is refused, with its row.
            table = next((unit for unit in units if isinstance(unit, fits.BinTableHDU)), None)
            if table is None:
                raise CatalogUnavailableError("it is a FITS file without a binary table")
            place, header, defined = table.fileinfo(), table.header, table.columns
    except (OSError, ValueError, TypeError, fits.VerifyError) as error:
        raise CatalogUnavailableError(f"it is not good FITS: {error}") from error
    rows, row_bytes, start = header["NAXIS2"], header["NAXIS1"], place["datLoc"]
    there = (path.stat().st_size - start) // row_bytes if row_bytes else rows
    if there < rows:
        raise CatalogUnavailableError(
            f"it ends in row {there + 1} of the {rows} its header announces"
        )
    wanted = {name.lower() for name in columns}
    chosen = [c for c in defined if (not wanted or c.name.lower() in wanted) and _is_scalar(c)]
    layout = defined.dtype.newbyteorder(">")
    for first in range(0, rows, batch_rows):
        count = min(batch_rows, rows - first)
        records = np.fromfile(path, layout, count=count, offset=start + first * row_bytes)
        yield pa.table({column.name: _arrow(column, records[column.name]) for column in chosen})


def _is_scalar(column: Any) -> bool:
    shape = column.dtype.shape if column.dtype.subdtype else ()
    return column.dtype.base.kind in "SUbiufc?" and shape in ((), (1,))


def _arrow(column: Any, raw: npt.NDArray[Any]) -> pa.Array:
    """A column's values as they are meant: scaled, with nulls, text decoded."""
    values = raw.reshape(len(raw))
    if column.format.endswith("A") or values.dtype.kind == "S":
        text = np.char.decode(np.ascontiguousarray(values), "utf-8", "replace")
        return pa.array(text.astype(object), pa.string())
    if column.format.lstrip("0123456789") == "L":
        flags = values.view(np.uint8)
        return pa.array(flags == ord("T"), mask=~np.isin(flags, [ord("T"), ord("F")]))
    missing = None
    if column.null not in (None, "") and values.dtype.kind in "iu":
        missing = values == int(column.null)
    native = values.astype(values.dtype.newbyteorder("="))
    scale, zero = column.bscale or 1, column.bzero or 0
    if scale != 1 or zero != 0:
        if native.dtype.kind in "iu" and scale == 1:
            native = native.astype(np.int64) + int(zero)
        else:
            native = native * float(scale) + float(zero)
    return pa.array(native, mask=missing)
