"""The next snapshot in the making: seen by nobody before it is whole, then current in one step."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from services.archive.nightly.columns import schema_mark, stored_schema
from shared.archive.nights import nights_of
from shared.archive.snapshots import (
    ALERTS,
    CURRENT,
    MANIFEST,
    PRIVATE,
    VERSIONS,
    Night,
    ParquetFile,
    Snapshot,
    current_snapshot,
)
from shared.errors import TocsinError
from shared.sky.hats import DATASET, FOLDER_SUFFIX, HatsCounts, describe_catalog, pixel_place
from shared.sky.healpix import DEEPEST_ORDER

ROW_GROUP_ROWS = 16_384
"""About 20 MB of alerts: little to read for a cone, enough for compression."""
DEFAULT_COLUMNS = (
    "alert_id", "object_id", "ra_deg", "dec_deg", "mjd_tai", "band", "flux_njy", "flux_err_njy",
    "reliability",
)  # fmt: skip
_COMMON = f"{ALERTS}/{DATASET}/_common_metadata"


class WriterBusyError(TocsinError):
    """Another process is writing this survey's snapshot."""


class Draft:
    """Makes one snapshot out of the current one (context manager; one writer at a time).

    What is not published when the context ends is deleted; what a kill left is deleted by the
    next writer.
    """

    def __init__(self, root: Path, survey: str) -> None:
        self._home = root / survey
        self._versions = self._home / VERSIONS
        self.survey = survey

    def __enter__(self) -> Self:
        """Take the lock; raises ``WriterBusyError`` if another has it."""
        self._versions.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._home / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise WriterBusyError(f"another process writes {self._home}") from error
        self.before = current_snapshot(self._home.parent, self.survey)
        self.version = self.before.version + 1 if self.before else 1
        self._clean()
        self.folder = self._versions / f".making-{self.version:06d}"
        (self.folder / ALERTS / DATASET).mkdir(parents=True)
        self.files: dict[str, ParquetFile] = {}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete what was not published, and give the lock free."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def keep(self, files: Iterable[ParquetFile]) -> None:
        """Have files of the current snapshot in this one too."""
        if self.before is None:
            return
        for file in files:
            target = self.folder / file.place
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.before.path(file), target)
            self.files[file.place] = file

    def write_alerts(self, order: int, pixel: int, name: str, table: pa.Table) -> ParquetFile:
        """Write sorted alerts of one pixel to a new file, ``<name>.parquet`` or ``<name>-2``."""
        folder = f"{ALERTS}/{DATASET}/{pixel_place(order, pixel)}"
        cells = table.column("healpix29").to_numpy()
        return self._write(folder, name, table, (int(cells[0]), int(cells[-1])))

    def write_private(self, name: str, table: pa.Table) -> ParquetFile:
        """Write the lists of alerts that have private hits."""
        return self._write(PRIVATE, name, table, None)

    def _write(
        self, folder: str, name: str, table: pa.Table, cells29: tuple[int, int] | None
    ) -> ParquetFile:
        place, count = f"{folder}/{name}.parquet", 1
        while place in self.files:
            count += 1
            place = f"{folder}/{name}-{count}.parquet"
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table,
            path,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            write_page_index=True,
            sorting_columns=[
                pq.SortingColumn(table.schema.get_field_index("healpix29"))
            ] if cells29 else None,
        )  # fmt: skip
        numbers, rows = np.unique(nights_of(table.column("mjd_tai").to_numpy()), return_counts=True)
        file = ParquetFile(
            place=place,
            size_bytes=path.stat().st_size,
            sha256=checksum(path),
            schema=schema_mark(table.schema),
            nights=dict(zip(numbers.tolist(), rows.tolist(), strict=True)),
            **({"cells29": cells29} if cells29 else {}),
        )
        _sync(path)
        self.files[place] = file
        return file

    def publish(
        self, order: int, nights: dict[int, Night], schema: pa.Schema, points: HatsCounts | None
    ) -> Snapshot:
        """Complete the snapshot and make it current.

        Parameters
        ----------
        order
            HEALPix order of its pixels.
        nights
            What is known of each night in it.
        schema
            Columns of files written now.
        points
            What the files written now hold, if all others are of the current snapshot; None to
            count all anew.
        """
        for left in self.folder.glob(".gathered*"):
            shutil.rmtree(left)
        snapshot = Snapshot(
            self.folder, self.survey, self.version, order, nights, tuple(self.files.values())
        )
        self._describe(snapshot, self._merged_schema(schema), points)
        (self.folder / MANIFEST).write_text(snapshot.manifest_json())
        for path in (self.folder / MANIFEST, *(self.folder / ALERTS).iterdir()):
            _sync(path)
        home = self._versions / f"{self.version:06d}"
        self.folder.rename(home)
        _sync(self._versions)
        pointer = self._home / f".{CURRENT}"
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(Path(VERSIONS) / home.name)
        pointer.replace(self._home / CURRENT)
        _sync(self._home)
        self._forget_older(keep=2)
        return Snapshot(home, self.survey, self.version, order, nights, snapshot.files)

    def _merged_schema(self, schema: pa.Schema) -> pa.Schema:
        if self.before is None or not (self.before.folder / _COMMON).exists():
            return schema
        return stored_schema([pq.read_schema(self.before.folder / _COMMON), schema])

    def _describe(self, snapshot: Snapshot, schema: pa.Schema, new: HatsCounts | None) -> None:
        pq.write_metadata(schema, self.folder / _COMMON)
        counts = HatsCounts(size_bytes=sum(f.size_bytes for f in snapshot.alert_files()))
        if new is not None:
            counts.points += new.points
            if self.before is not None:
                counts.points += _points(self.before.catalog / "point_map.fits")
        for file in snapshot.alert_files():
            pixel = file.cells29[0] >> (2 * (DEEPEST_ORDER - snapshot.order))
            place = (snapshot.order, pixel)
            if new is not None:
                counts.pixels[place] = counts.pixels.get(place, 0) + file.rows
            else:
                column = pq.read_table(snapshot.path(file), columns=["healpix29"])
                counts.add(*place, column.column(0).to_numpy())
        describe_catalog(
            snapshot.catalog,
            f"tocsin_{self.survey}_alerts",
            counts,
            cell_column="healpix29",
            default_columns=[name for name in DEFAULT_COLUMNS if name in schema.names],
            suffix=FOLDER_SUFFIX,
            about={
                "obs_title": f"Alerts of {self.survey}, as Tocsin distributed them",
                "hats_release_date": f"version {self.version}",
            },
        )

    def _clean(self) -> None:
        """Delete what killed writers left: drafts, and versions that never became current."""
        for path in self._versions.glob(".making-*"):
            shutil.rmtree(path)
        for path in self._versions.glob("[0-9]*"):
            if int(path.name) >= self.version:
                shutil.rmtree(path)

    def _forget_older(self, keep: int) -> None:
        """Readers that have just opened the version before may go on with it."""
        for path in sorted(self._versions.glob("[0-9]*"))[:-keep]:
            shutil.rmtree(path)


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _points(path: Path) -> npt.NDArray[np.int32]:
    with fits.open(path) as units:
        return np.asarray(units[1].data["VALUE"], dtype=np.int32).ravel()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
