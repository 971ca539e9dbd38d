"""Reads galaxies with magnitudes and spectroscopic redshifts from CSV or Parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from services.xmatch.photoz.features import LEAST_BANDS, feature_rows
from shared.errors import TocsinError

LARGEST_BYTES = 4_000_000_000
MOST_REDSHIFT = 10.0


class GalaxyFileError(TocsinError):
    """A file cannot be used; the message says what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band: what it is called in models, and its columns in a file."""

    name: str
    magnitude: str
    error: str | None

    @classmethod
    def parse(cls, text: str) -> Band:
        """Read ``g=MAG_G:MAGERR_G``, ``g=MAG_G`` or ``g``, which is ``g=g_mag:g_mag_err``.

        Raises
        ------
        GalaxyFileError
            If the text is none of these.
        """
        name, _, columns = text.strip().partition("=")
        magnitude, _, error = columns.partition(":")
        if not name.isidentifier():
            raise GalaxyFileError(f"{text!r} is no band; write g or g=MAG_G:MAGERR_G")
        if not columns:
            return cls(name, f"{name}_mag", f"{name}_mag_err")
        return cls(name, magnitude, error or None)


@dataclass(frozen=True, slots=True)
class Galaxies:
    """Galaxies ready for training or scoring, shape (n,)."""

    rows: npt.NDArray[np.float32]
    redshift: npt.NDArray[np.float64]
    left_out: dict[str, int]
    """How many rows of the files were left out, by reason."""
    files: dict[str, str]
    """SHA-256 of each file, by name."""


def read_galaxies(paths: Sequence[Path], redshift: str, bands: Sequence[Band]) -> Galaxies:
    """Read files of one layout.

    Parameters
    ----------
    paths
        CSV (names in the first line, ``#`` lines skipped) or Parquet.
    redshift
        Column of the spectroscopic redshift.
    bands
        Blue to red.

    Raises
    ------
    GalaxyFileError
        If a file is missing, is neither, lacks a column, or no galaxy is left.
    """
    wanted = [redshift, *(band.magnitude for band in bands)]
    wanted += [band.error for band in bands if band.error]
    tables = [_table(path, wanted, [b.error for b in bands if b.error]) for path in paths]
    table = pa.concat_tables(tables, promote_options="permissive")

    def column(name: str) -> npt.NDArray[np.float64]:
        try:
            values = table.column(name).cast(pa.float64()).to_numpy()
        except pa.ArrowInvalid as error:
            raise GalaxyFileError(f"column {name!r} is not of numbers: {error}") from error
        return np.asarray(values, dtype=np.float64)

    photometry = {f"{band.name}_mag": column(band.magnitude) for band in bands}
    for band in bands:
        if band.error and band.error in table.column_names:
            photometry[f"{band.name}_mag_err"] = column(band.error)
    truth = column(redshift)
    rows, known = feature_rows(photometry, [band.name for band in bands])
    bad_redshift = ~((truth > 0.0) & (truth < MOST_REDSHIFT))
    few = ~bad_redshift & (known < LEAST_BANDS)
    kept = ~(bad_redshift | few)
    left_out = {"no_redshift": int(bad_redshift.sum()), "too_few_bands": int(few.sum())}
    if not kept.any():
        raise GalaxyFileError(
            f"no galaxy of {len(truth)} has a redshift in {redshift!r} and {LEAST_BANDS} bands; "
            "check --redshift and --bands"
        )
    files = {path.name: _checksum(path) for path in paths}
    return Galaxies(rows[kept], truth[kept], {k: v for k, v in left_out.items() if v}, files)


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _table(path: Path, wanted: Sequence[str], optional: Sequence[str]) -> pa.Table:
    """The wanted columns of a file; optional ones may be missing."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise GalaxyFileError(f"{path} has {size} bytes; at most {LARGEST_BYTES} are read")
        with path.open("rb") as stream:
            is_parquet = stream.read(4) == b"PAR1"
        table = pq.read_table(path) if is_parquet else _csv(path)
    except (OSError, pa.ArrowException) as error:
        raise GalaxyFileError(f"{path} is neither CSV nor Parquet: {error}") from error
    missing = [n for n in wanted if n not in table.column_names and n not in optional]
    if missing:
        raise GalaxyFileError(
            f"{path} has no column {missing[0]!r}; it has {', '.join(table.column_names[:20])}"
        )
    return table.select([name for name in wanted if name in table.column_names])


def _csv(path: Path) -> pa.Table:
    with path.open(encoding="utf-8", errors="replace") as stream:
        skipped = 0
        for line in stream:
            if not line.startswith("#"):
                break
            skipped += 1
    return pacsv.read_csv(path, read_options=pacsv.ReadOptions(skip_rows=skipped))
