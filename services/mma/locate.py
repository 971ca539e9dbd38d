"""``tocsin mma locate``: where positions lie in a sky map."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from services.mma.positions import Positions, read_positions, write_table
from services.mma.region_files import read_region
from services.mma.skymaps.base import Region
from services.mma.skymaps.multi_order import MultiOrderMap
from services.mma.skymaps.volume import volume_levels
from shared.errors import RejectedRecordError
from shared.sky.healpix import INVALID_CELL

ANSWERS = ("credible_level", "searched_area_deg2", "density_per_sr", "volume_level")

DESCRIPTION = """\
Look positions up in a sky map. The table comes back with four columns more:

  credible_level      probability of the smallest credible region that holds the position, 0 to 1
  searched_area_deg2  area of that region, square degrees
  density_per_sr      probability per steradian there
  volume_level        probability of the smallest credible volume that holds position and
                      distance; empty without distance_mpc, or where the map has no distances

The map may be a FITS file (multi-order or flat, gzipped or not) or a notice: an igwn.gwalert
JSON, or a VOEvent or GCN JSON with an error circle or ellipse. A map whose sum is within 1 % of
one is normalised (stderr says so); others are refused."""

EXAMPLES = """\
examples:
  tocsin mma locate --map bayestar.multiorder.fits --positions galaxies.csv -o located.csv
  tocsin mma locate --map S240115x.json.gz --positions galaxies.parquet -o located.parquet
  tocsin mma locate --map bayestar.fits.gz --positions galaxies.csv | sort -t, -g -k4 | head
  tocsin mma locate --map bayestar.fits.gz --summary

The positions file (CSV or TSV with a header, or Parquet) has the columns ra_deg, dec_deg (ICRS,
degrees; ra, dec, RA ... are understood) and, if known, distance_mpc (luminosity distance); other
columns are passed on as they are. A row without a position keeps its place, with empty answers.
Exit status: 0 done, 2 a file that cannot be used (one line says which and why)."""


def located(region: Region, positions: Positions) -> dict[str, npt.NDArray[np.float64]]:
    """The four answers for each position, arrays of shape (n,); NaN where there is none."""
    places = (positions.ra_deg, positions.dec_deg, positions.healpix29)
    volume = np.full(len(positions), np.nan)
    if isinstance(region, MultiOrderMap):
        volume = volume_levels(region, positions.healpix29, positions.distance_mpc)
    answers = {
        "credible_level": region.credible_levels(*places),
        "searched_area_deg2": region.searched_areas_deg2(*places),
        "density_per_sr": region.densities_per_sr(*places),
        "volume_level": volume,
    }
    nowhere = positions.healpix29 == INVALID_CELL
    if nowhere.any():
        return {name: np.where(nowhere, np.nan, values) for name, values in answers.items()}
    return answers


def summary(region: Region) -> dict[str, Any]:
    """Areas of the 50 and 90 % regions, best position, and distance of a map."""
    cap = region.cap(0.5)
    said: dict[str, Any] = {
        "A50_deg2": region.searched_area_deg2(0.5),
        "A90_deg2": region.searched_area_deg2(0.9),
        "ra_deg": cap.ra_deg,
        "dec_deg": cap.dec_deg,
        "distance_mpc": None,
        "distance_err_mpc": None,
    }
    if isinstance(region, MultiOrderMap):
        ra_deg, dec_deg = region.mode()
        said |= {
            "ra_deg": ra_deg,
            "dec_deg": dec_deg,
            "distance_mpc": region.distance_mpc,
            "distance_err_mpc": region.distance_err_mpc,
            "cells": len(region.first),
            "sum_as_given": region.sum_as_given,
        }
    return said


def main(argv: list[str] | None = None) -> int:
    """Locate the positions of ``argv``; 0 if it could be done, 2 if not."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.positions is None and not options.summary:
        parser.error("give --positions FILE, or --summary for the map alone")
    try:
        region = _region_of(options.map)
        if options.positions is not None:
            _write_answers(region, options.positions, options.output)
    except RejectedRecordError as error:
        sys.stderr.write(f"tocsin mma locate: {error.detail}\n")
        return 2
    if options.summary:
        line = orjson.dumps({"map": str(options.map), **summary(region)}).decode() + "\n"
        # Where the table goes to stdout, the summary must not stand in it.
        is_stdout_taken = options.positions is not None and options.output is None
        (sys.stderr if is_stdout_taken else sys.stdout).write(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin mma locate",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--map", type=Path, required=True, metavar="FILE", help="sky map or notice")
    parser.add_argument("--positions", type=Path, metavar="FILE", help="CSV or Parquet")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="CSV or Parquet file (default: stdout)"
    )
    parser.add_argument(
        "--summary", action="store_true",
        help="one JSON line: A50, A90, best position, distance (stderr if stdout has the table)",
    )  # fmt: skip
    return parser


def _region_of(path: Path) -> Region:
    try:
        region = read_region(path)
    except RejectedRecordError as error:
        raise RejectedRecordError(error.reason, f"{path}: {error.detail}") from error
    if isinstance(region, MultiOrderMap):
        for remark in region.remarks:
            sys.stderr.write(f"tocsin mma locate: {path}: {remark}\n")
    return region


def _write_answers(region: Region, path: Path, output: Path | None) -> None:
    try:
        positions = read_positions(path)
    except RejectedRecordError as error:
        raise RejectedRecordError(error.reason, f"{path}: {error.detail}") from error
    nowhere = int((positions.healpix29 == INVALID_CELL).sum())
    if nowhere:
        sys.stderr.write(
            f"tocsin mma locate: {path}: {nowhere} of {len(positions)} rows have no position; "
            "their answers are empty\n"
        )
    replaced = [name for name in ANSWERS if name in positions.table.column_names]
    if replaced:
        sys.stderr.write(f"tocsin mma locate: {path}: replaced its {', '.join(replaced)}\n")
    table = positions.table.drop_columns(replaced)
    for name, values in located(region, positions).items():
        table = table.append_column(name, pa.array(values, from_pandas=True))
    try:
        write_table(table, output)
    except RejectedRecordError as error:
        raise RejectedRecordError(error.reason, f"{output}: {error.detail}") from error
    if not np.isnan(positions.distance_mpc).all() and not (
        isinstance(region, MultiOrderMap) and region.layers is not None
    ):
        sys.stderr.write("tocsin mma locate: the map has no distances: volume_level is empty\n")


if __name__ == "__main__":
    sys.exit(main())
