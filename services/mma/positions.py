"""Tables of positions in files: CSV or Parquet in, the same with answers beside them out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from shared.errors import RejectedRecordError
from shared.sky.healpix import healpix29_of

MAX_POSITIONS_BYTES = 1024**3
MAX_POSITIONS = 20_000_000
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Positions:
    """``n`` positions and the table they came in."""

    table: pa.Table
    ra_deg: npt.NDArray[np.float64]
    """Shape (n,): ICRS, degrees, in [0, 360)."""
    dec_deg: npt.NDArray[np.float64]
    distance_mpc: npt.NDArray[np.float64]
    """Shape (n,): luminosity distance, Mpc; NaN where the table says none."""
    healpix29: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ra_deg)


def read_positions(path: Path) -> Positions:
    """Read ``ra_deg``, ``dec_deg`` and, if there, ``distance_mpc``; other columns are kept.

    Raises
    ------
    RejectedRecordError
        ``unreadable_file``, ``too_large``, ``bad_positions`` with the column and the first row
        (counted from 1, the header apart) that is wrong.
    """
    try:
        size = path.stat().st_size
        if size > MAX_POSITIONS_BYTES:
            raise RejectedRecordError(
                "too_large", f"{size} bytes; at most {MAX_POSITIONS_BYTES}: split the file"
            )
        is_parquet = path.suffix.lower() in _PARQUET
        table = pa_parquet.read_table(path) if is_parquet else pa_csv.read_csv(path)
    except OSError as error:
        raise RejectedRecordError("unreadable_file", error.strerror or str(error)) from error
    except pa.ArrowException as error:
        raise RejectedRecordError("bad_positions", " ".join(str(error).split())) from error
    if table.num_rows > MAX_POSITIONS:
        raise RejectedRecordError(
            "too_large", f"{table.num_rows} rows; at most {MAX_POSITIONS}: split the file"
        )
    ra_deg, dec_deg = _numbers(table, "ra_deg"), _numbers(table, "dec_deg")
    _require(table, "ra_deg", ra_deg, (ra_deg >= -360.0) & (ra_deg <= 720.0), "-360 to 720")
    _require(table, "dec_deg", dec_deg, np.abs(dec_deg) <= 90.0, "-90 to 90")
    distance = np.full(table.num_rows, np.nan)
    if "distance_mpc" in table.column_names:
        distance = _numbers(table, "distance_mpc")
        fine = np.isnan(distance) | ((distance > 0) & np.isfinite(distance))
        _require(table, "distance_mpc", distance, fine, "more than 0, or empty")
    ra_deg = ra_deg % 360.0 % 360.0
    return Positions(table, ra_deg, dec_deg, distance, healpix29_of(ra_deg, dec_deg))


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    if table.column_names.count(name) != 1:
        raise RejectedRecordError(
            "bad_positions",
            f"needs one column {name}; the file has: {', '.join(table.column_names)[:200]}",
        )
    column = table[name]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    try:
        values = pc.cast(column, pa.float64()).to_numpy()
    except pa.ArrowException as error:
        raise RejectedRecordError(
            "bad_positions", f"column {name}: {' '.join(str(error).split())[:200]}"
        ) from error
    return np.asarray(values, dtype=np.float64)


def _require(
    table: pa.Table, name: str, values: Any, fine: npt.NDArray[np.bool_], allowed: str
) -> None:
    if not fine.all():
        row = int(np.argmin(fine))
        raise RejectedRecordError(
            "bad_positions", f"row {row + 1}: {name} is {values[row]}; allowed is {allowed}"
        )


def write_table(table: pa.Table, path: Path | None) -> None:
    """Write ``table`` to a CSV or Parquet file, by its suffix; as CSV to stdout for None.

    Raises
    ------
    RejectedRecordError
        ``unwritable_file``.
    """
    try:
        if path is None:
            pa_csv.write_csv(table, sys.stdout.buffer)
        elif path.suffix.lower() in _PARQUET:
            pa_parquet.write_table(table, path)
        else:
            pa_csv.write_csv(table, path)
    except OSError as error:
        raise RejectedRecordError("unwritable_file", error.strerror or str(error)) from error
