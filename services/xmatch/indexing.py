"""Makes the index of a catalog whose rows fit in memory: sorts them, writes them as a folder."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.catalog_index import (
    COLUMNS,
    FORMAT,
    PHOTOMETRY,
    PROVENANCE,
    SOURCES,
    WORDS,
    CatalogIndex,
    Sources,
)
from services.xmatch.catalogs.base import NUMERIC_COLUMNS, REDSHIFT_KINDS, Catalog, CatalogRows
from services.xmatch.sky_rows import sky_rows
from services.xmatch.words import as_words, save_words
from shared.sky.cone_search import SortedCatalog
from shared.sky.sorted_catalog import sort_catalog


def numeric_columns(catalog: Catalog, rows: CatalogRows) -> dict[str, npt.NDArray[Any]]:
    """Those of ``NUMERIC_COLUMNS`` the rows have, as an index keeps them, shape (m,)."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in NUMERIC_COLUMNS:
        column = getattr(rows, name)
        if column is not None:
            kind = np.uint8 if name == "redshift_kind" else np.float32
            columns[name] = np.asarray(column, dtype=kind)
    if "redshift" in columns and "redshift_kind" not in columns and catalog.redshift_kind:
        code = REDSHIFT_KINDS.index(catalog.redshift_kind)
        columns["redshift_kind"] = np.where(np.isnan(columns["redshift"]), 0, code).astype(np.uint8)
    return columns


def description_of(catalog: Catalog, version: str) -> dict[str, Any]:
    """What provenance says of a catalog before any row is read."""
    return {
        "format": FORMAT,
        "catalog": catalog.name,
        "version": version,
        "title": catalog.title,
        "kind": catalog.kind,
        "has_hosts": catalog.has_hosts,
        "reference": catalog.reference,
        "licence": catalog.licence,
        "epoch_year": catalog.epoch_year,
        "radius_arcsec": catalog.radius_arcsec,
        "magnitude_band": catalog.magnitude_band,
    }


def on_sphere(
    ra_deg: npt.NDArray[np.float64], dec_deg: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Which positions are on the sphere: RA in [-360, 360], Dec in [-90, 90], shape (m,)."""
    good: npt.NDArray[np.bool_] = (np.abs(ra_deg) <= 360.0) & (np.abs(dec_deg) <= 90.0)
    return good


def index_rows(catalog: Catalog, rows: CatalogRows, version: str) -> CatalogIndex:
    """Sort the rows of a catalog; those whose position is not on the sphere are counted out."""
    good = on_sphere(rows.ra_deg, rows.dec_deg)
    kept = np.flatnonzero(good)
    sky = sky_rows(catalog, rows, kept)
    positions, order = sort_catalog(
        sky.ra_deg, sky.dec_deg, sky.reach_arcsec, motion=sky.motion, ellipse=sky.ellipse
    )
    take = kept[order]
    columns = {name: values[take] for name, values in numeric_columns(catalog, rows).items()}
    photometry = {
        name: np.asarray(values, np.float32)[take] for name, values in rows.photometry.items()
    }
    words = {name: as_words(getattr(rows, name)).take(pa.array(take)) for name in WORDS}
    bad = np.flatnonzero(~good) if rows.file_row is None else rows.file_row[~good]
    provenance = {
        **description_of(catalog, version),
        "rows": len(positions),
        "bad_rows": len(bad),
        "first_bad_rows": bad[:10].tolist(),
        "left_out": dict(rows.left_out),
        "columns": list(columns),
        "photometry": list(photometry),
    }
    sources = Sources(words, columns)
    return CatalogIndex(catalog.name, version, positions, sources, provenance, columns, photometry)


def save_index(index: CatalogIndex, folder: Path) -> None:
    """Write the index as ``folder``, which appears complete or not at all.

    If another process was faster its folder stays: both hold the same.
    """
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    for part in (COLUMNS, PHOTOMETRY, SOURCES):
        (making / part).mkdir(parents=True)
    for column in fields(SortedCatalog):
        np.save(making / f"{column.name}.npy", getattr(index.positions, column.name))
    for name, values in index.columns.items():
        np.save(making / COLUMNS / f"{name}.npy", values)
    for name, values in index.photometry.items():
        np.save(making / PHOTOMETRY / f"{name}.npy", values)
    for name, words in index.sources.words.items():
        save_words(making / SOURCES, name, words)
    write_provenance(making, dict(index.provenance))
    try:
        making.rename(folder)
    except OSError:
        if not (folder / PROVENANCE).is_file():
            raise
        shutil.rmtree(making)


def write_provenance(folder: Path, about: dict[str, Any]) -> None:
    """Write ``provenance.json`` with the sizes of all files beside it."""
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != PROVENANCE
    }
    text = json.dumps({**about, "files": sizes}, indent=2)
    (folder / PROVENANCE).write_text(text + "\n")
