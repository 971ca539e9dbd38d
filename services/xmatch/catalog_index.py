"""A catalog as xmatch holds it: sorted columns in memory-mapped files, and where they came from.

A folder holds one ``.npy`` file for each column of the sorted catalog and for each numeric
column the catalog has, ``sources`` with names and classes, and ``provenance.json``.
Everything is in the row order of ``positions``. Processes on one machine share its pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import NUMERIC_COLUMNS, REDSHIFT_KINDS
from services.xmatch.words import map_words
from shared.errors import TocsinError
from shared.schemas.alert import MATCH
from shared.sky.cone_search import SortedCatalog

FORMAT = 4
"""Counted up when the folder's contents change; older folders are then built anew."""

PROVENANCE = "provenance.json"
SOURCES = "sources"
WORDS = ("source_id", "source_class")
COLUMNS = "columns"
PHOTOMETRY = "photometry"
GIVEN_BY_THE_SEARCH = ("catalog", "catalog_version", "separation_arcsec")
SOURCE_FIELDS = [field for field in MATCH if field.name not in GIVEN_BY_THE_SEARCH]
"""The members of a match that a row of the catalog decides."""

NumericColumns = Mapping[str, npt.NDArray[Any]]


class DamagedIndexError(TocsinError):
    """A folder is not a complete index of the present format; it can be built anew."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a match says about a row: names and classes in Arrow, numbers in NumPy, mapped."""

    words: Mapping[str, pa.Array]
    """``source_id`` and ``source_class``: int64, or large strings with "" for null, (m,)."""
    columns: NumericColumns

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.words[WORDS[0]])

    def take(self, rows: npt.ArrayLike | pa.Array) -> pa.StructArray:
        """``SOURCE_FIELDS`` of some rows, in the order asked for; NaN has become null."""
        wanted = np.asarray(rows, dtype=np.int64)
        return pa.StructArray.from_arrays(
            [self._member(f, wanted) for f in SOURCE_FIELDS], fields=SOURCE_FIELDS
        )

    def names(self, rows: npt.ArrayLike) -> pa.Array:
        """``source_id`` of some rows, strings."""
        wanted = pa.array(np.asarray(rows, dtype=np.int64))
        return self.words["source_id"].take(wanted).cast(pa.string())

    def classes(self) -> pa.Array:
        """``source_class`` of all rows, large strings, null where there is none."""
        return _null_if_blank(self.words["source_class"])

    def _member(self, member: pa.Field, rows: npt.NDArray[np.int64]) -> pa.Array:
        if member.name in self.words:
            words = self.words[member.name].take(pa.array(rows)).cast(member.type)
            return words if member.name == "source_id" else _null_if_blank(words)
        column = self.columns.get(member.name)
        if column is None:
            return pa.nulls(len(rows), member.type)
        if member.name == "redshift_kind":
            kinds = pa.array([kind or None for kind in REDSHIFT_KINDS], member.type)
            return kinds.take(pa.array(column[rows]))
        return pa.array(column[rows], from_pandas=True).cast(member.type)


@dataclass(frozen=True, slots=True)
class CatalogIndex:
    """A catalog, ready to be searched. All columns are in the row order of ``positions``."""

    name: str
    version: str
    """Release the rows come from, as it stands in every match."""
    positions: SortedCatalog
    sources: Sources
    """``sources.take(rows)`` gives what a match says about rows."""
    provenance: Mapping[str, Any]
    columns: NumericColumns = field(default_factory=dict)
    """Those of ``NUMERIC_COLUMNS`` the catalog has, float32 (``redshift_kind`` uint8), shape
    (m,), NaN where unknown: proper motions, axes, error ellipses, redshifts."""
    photometry: NumericColumns = field(default_factory=dict)
    """``CatalogRows.photometry``, float32, shape (m,)."""

    @property
    def kind(self) -> str:
        """``Catalog.kind``: what the catalog is a catalog of."""
        return str(self.provenance["kind"])

    @property
    def has_hosts(self) -> bool:
        """``Catalog.has_hosts``: whether its rows may be host galaxies."""
        return bool(self.provenance["has_hosts"])

    @property
    def epoch_year(self) -> float:
        """Epoch of the positions, Julian year, where ``columns`` has no ``epoch_year``."""
        return float(self.provenance["epoch_year"])

    def positions_deg(
        self, rows: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """ICRS right ascension in [0, 360) and declination of some rows, degrees, at epoch."""
        x, y, z = np.asarray(self.positions.vectors[np.asarray(rows)], dtype=np.float64).T
        return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def open_index(folder: Path) -> CatalogIndex:
    """Map the index in ``folder``.

    Raises
    ------
    DamagedIndexError
        If a file is missing or cut short, or the format is another one.
    """
    try:
        provenance = json.loads((folder / PROVENANCE).read_text())
        if provenance["format"] != FORMAT:
            raise DamagedIndexError(f"{folder} has format {provenance['format']}, not {FORMAT}")
        for name, size in provenance["files"].items():
            if (folder / name).stat().st_size != size:
                raise DamagedIndexError(f"{folder / name} is not {size} bytes long")
        positions = SortedCatalog(
            **{part.name: _mapped(folder / f"{part.name}.npy") for part in fields(SortedCatalog)}
        )
        columns = {
            name: _mapped(folder / COLUMNS / f"{name}.npy") for name in provenance["columns"]
        }
        photometry = {
            name: _mapped(folder / PHOTOMETRY / f"{name}.npy") for name in provenance["photometry"]
        }
        words = map_words(folder / SOURCES, WORDS)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DamagedIndexError(f"{folder} is not a complete index: {error}") from error
    lengths = {len(positions), *map(len, words.values()), provenance["rows"]}
    if len(lengths | {len(c) for c in (*columns.values(), *photometry.values())}) != 1:
        raise DamagedIndexError(f"{folder}: columns differ in length")
    if not set(columns) <= set(NUMERIC_COLUMNS):
        raise DamagedIndexError(f"{folder} has columns that are not known: {sorted(columns)}")
    return CatalogIndex(
        provenance["catalog"],
        provenance["version"],
        positions,
        Sources(words, columns),
        provenance,
        columns,
        photometry,
    )


def _null_if_blank(words: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(words, ""), pa.scalar(None, words.type), words)


def _mapped(path: Path) -> npt.NDArray[Any]:
    mapped: npt.NDArray[Any] = np.load(path, mmap_mode="r").view(np.ndarray)
    return mapped
