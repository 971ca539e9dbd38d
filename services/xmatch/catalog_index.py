"""A catalog as xmatch holds it: sorted columns in memory-mapped files, and where they came from.

A folder holds one ``.npy`` file for each column of the sorted catalog, ``sources.arrow`` with
what a match says about a row, and ``provenance.json``. Processes on one machine share its pages.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import Catalog, CatalogRows
from shared.errors import TocsinError
from shared.schemas.alert import MATCH
from shared.sky.cone_search import SortedCatalog
from shared.sky.healpix import INVALID_CELL, healpix29_of
from shared.sky.sorted_catalog import sort_catalog

FORMAT = 2
"""Counted up when the folder's contents change; older folders are then built anew."""

PROVENANCE = "provenance.json"
SOURCES = "sources.arrow"
GIVEN_BY_THE_SEARCH = ("catalog", "catalog_version", "separation_arcsec")
SOURCE_FIELDS = [field for field in MATCH if field.name not in GIVEN_BY_THE_SEARCH]
"""The members of a match that a row of the catalog decides."""


class DamagedIndexError(TocsinError):
    """A folder is not a complete index of the present format; it can be built anew."""


@dataclass(frozen=True, slots=True)
class CatalogIndex:
    """A catalog, ready to be searched."""

    name: str
    version: str
    """Release the rows come from, as it stands in every match."""
    positions: SortedCatalog
    sources: pa.StructArray
    """``SOURCE_FIELDS`` of every row, in the order of ``positions``."""
    provenance: Mapping[str, Any]


def index_rows(catalog: Catalog, rows: CatalogRows, version: str) -> CatalogIndex:
    """Sort the rows of a catalog; those whose position is not on the sphere are counted out."""
    good = healpix29_of(rows.ra_deg, rows.dec_deg) != INVALID_CELL
    kept = np.flatnonzero(good)
    reach = rows.reach_arcsec
    positions, order = sort_catalog(
        rows.ra_deg[kept],
        rows.dec_deg[kept],
        reach[kept] if isinstance(reach, np.ndarray) else reach,
    )
    take = pa.array(kept[order])
    columns = []
    for field in SOURCE_FIELDS:
        column = getattr(rows, field.name)
        nothing = pa.nulls(len(take), field.type)
        columns.append(nothing if column is None else pc.take(column.cast(field.type), take))
    bad = np.flatnonzero(~good)
    provenance = {
        "format": FORMAT,
        "catalog": catalog.name,
        "version": version,
        "title": catalog.title,
        "reference": catalog.reference,
        "licence": catalog.licence,
        "epoch_year": catalog.epoch_year,
        "radius_arcsec": catalog.radius_arcsec,
        "magnitude_band": catalog.magnitude_band,
        "rows": len(positions),
        "bad_rows": len(bad),
        "first_bad_rows": bad[:10].tolist(),
        "left_out": dict(rows.left_out),
    }
    sources = pa.StructArray.from_arrays(columns, fields=SOURCE_FIELDS)
    return CatalogIndex(catalog.name, version, positions, sources, provenance)


def save_index(index: CatalogIndex, folder: Path) -> None:
    """Write the index as ``folder``, which appears complete or not at all.

    If another process was faster its folder stays: both hold the same.
    """
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for field in fields(SortedCatalog):
        np.save(making / f"{field.name}.npy", getattr(index.positions, field.name))
    table = pa.RecordBatch.from_struct_array(index.sources)
    with pa.OSFile(str(making / SOURCES), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_batch(table)
    sizes = {path.name: path.stat().st_size for path in sorted(making.iterdir())}
    text = json.dumps({**index.provenance, "files": sizes}, indent=2)
    (making / PROVENANCE).write_text(text + "\n")
    try:
        making.rename(folder)
    except OSError:
        if not (folder / PROVENANCE).is_file():
            raise
        shutil.rmtree(making)


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
        columns = {
            field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r").view(np.ndarray)
            for field in fields(SortedCatalog)
        }
        table = pa.ipc.open_file(pa.memory_map(str(folder / SOURCES))).get_batch(0)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DamagedIndexError(f"{folder} is not a complete index: {error}") from error
    positions = SortedCatalog(**columns)
    if not len(positions) == len(table) == provenance["rows"]:
        raise DamagedIndexError(f"{folder}: columns differ in length")
    return CatalogIndex(
        provenance["catalog"],
        provenance["version"],
        positions,
        table.to_struct_array(),
        provenance,
    )
