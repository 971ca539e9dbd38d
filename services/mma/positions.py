"""Tables of positions in files: CSV or Parquet in, the same with answers beside them out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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
_NOTHING = ("", "nan", "na", "n/a", "null", "none", "-", "--")
"""What tables write where there is no number."""


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

    Rows with an empty or NaN coordinate are kept too; they lie in no cell (``INVALID_CELL``).

    Raises
    ------
    RejectedRecordError
        ``unreadable_file``, ``too_large``, ``bad_positions`` with the column and the first row
        (counted from 1, the header apart) that is wrong.
    """
    table = _table_of(path)
    if table.num_rows > MAX_POSITIONS:
        raise RejectedRecordError(
            "too_large", f"{table.num_rows} rows; at most {MAX_POSITIONS}: split the file"
        )
    ra_deg = _numbers(table, _column(table, "ra_deg"))
    dec_deg = _numbers(table, _column(table, "dec_deg"))
    unknown = np.isnan(ra_deg) | np.isnan(dec_deg)
    _require("ra_deg", ra_deg, unknown | ((ra_deg >= -360.0) & (ra_deg <= 720.0)), "-360 to 720")
    _require("dec_deg", dec_deg, unknown | (np.abs(dec_deg) <= 90.0), "-90 to 90")
    distance = np.full(table.num_rows, np.nan)
    if _named(table, "distance_mpc"):
        distance = _numbers(table, _column(table, "distance_mpc"))
        fine = np.isnan(distance) | ((distance > 0) & np.isfinite(distance))
        _require("distance_mpc", distance, fine, "more than 0, or empty")
    table = _with_numbers(table, {"ra_deg": ra_deg, "dec_deg": dec_deg, "distance_mpc": distance})
    ra_deg = np.where(unknown, np.nan, ra_deg % 360.0 % 360.0)
    # The equator's cells meet on it, at every multiple of a power of two of a degree: whoever
    # lies there belongs to the northern cell, as in astropy-healpix.
    north = np.where(dec_deg == 0.0, 1e-12, dec_deg)
    return Positions(table, ra_deg, dec_deg, distance, healpix29_of(ra_deg, north))


def _with_numbers(table: pa.Table, given: dict[str, npt.NDArray[np.float64]]) -> pa.Table:
    """The coordinates as numbers in place of their text: they are then written without quotes."""
    for name, values in given.items():
        for index in _named(table, name):
            if pa.types.is_string(table.column(index).type):
                field = table.column_names[index]
                table = table.set_column(index, field, pa.array(values, from_pandas=True))
    return table


def _table_of(path: Path) -> pa.Table:
    """The file as it is: of CSV every column as text, so that what is passed on is unchanged."""
    try:
        size = path.stat().st_size
        if size > MAX_POSITIONS_BYTES:
            raise RejectedRecordError(
                "too_large", f"{size} bytes; at most {MAX_POSITIONS_BYTES}: split the file"
            )
        if path.suffix.lower() in _PARQUET:
            return pa_parquet.read_table(path)
        parse = pa_csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        with pa_csv.open_csv(path, parse_options=parse) as start:
            names = start.schema.names
        return pa_csv.read_csv(
            path,
            parse_options=parse,
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except OSError as error:
        raise RejectedRecordError("unreadable_file", error.strerror or str(error)) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise RejectedRecordError("bad_positions", " ".join(str(error).split())[:300]) from error


def _named(table: pa.Table, name: str) -> list[int]:
    """Columns of that name: exactly so spelled, else without regard to case, spaces and unit."""
    exactly = [i for i, given in enumerate(table.column_names) if given == name]
    if exactly:
        return exactly
    wanted = {name, name.rsplit("_", maxsplit=1)[0]}
    return [
        i
        for i, given in enumerate(table.column_names)
        if given.strip("# \t\ufeff\"'").lower() in wanted
    ]


def _column(table: pa.Table, name: str) -> int:
    found = _named(table, name)
    if len(found) != 1:
        raise RejectedRecordError(
            "bad_positions",
            f"needs one column {name}; the file has: {', '.join(table.column_names)[:200]}",
        )
    return found[0]


def _numbers(table: pa.Table, index: int) -> npt.NDArray[np.float64]:
    column = table.column(index)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    try:
        if pa.types.is_string(column.type):
            column = pc.utf8_trim_whitespace(column)
            is_nothing = pc.is_in(pc.utf8_lower(column), pa.array(_NOTHING))
            column = pc.if_else(is_nothing, pa.scalar(None, pa.string()), column)
        values = pc.cast(column, pa.float64()).to_numpy()
    except pa.ArrowException as error:
        raise RejectedRecordError(
            "bad_positions",
            f"column {table.column_names[index]}: {' '.join(str(error).split())[:200]}",
        ) from error
    return np.asarray(values, dtype=np.float64)


def _require(name: str, values: Any, fine: npt.NDArray[np.bool_], allowed: str) -> None:
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
        if path is not None and path.suffix.lower() in _PARQUET:
            pa_parquet.write_table(table, path)
            return
        if path is None:
            _write_csv(table, sys.stdout.buffer)
            return
        with path.open("wb") as sink:
            _write_csv(table, sink)
    except OSError as error:
        raise RejectedRecordError("unwritable_file", error.strerror or str(error)) from error


def _write_csv(table: pa.Table, sink: IO[bytes]) -> None:
    """Without quotes where none are needed, also about the names, which Arrow always quotes."""
    if _needs_quotes(table):
        pa_csv.write_csv(table, sink)
        return
    sink.write((",".join(table.column_names) + "\n").encode())
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


def _needs_quotes(table: pa.Table) -> bool:
    """Whether a name or a text holds what CSV must quote; Arrow quotes all texts or none."""
    texts = [c for c in table.columns if pa.types.is_string(c.type)]
    texts.append(pa.chunked_array([pa.array(table.column_names, pa.string())]))
    return any(
        pc.any(pc.match_substring_regex(column, r'[",\r\n]'), min_count=0).as_py()
        for column in texts
    )
