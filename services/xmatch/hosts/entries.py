"""Galaxies as the catalogs list them, and how entries of one galaxy become one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalogs.base import REDSHIFT_KINDS
from services.xmatch.hosts.synonyms import leaders_of

_NOT_ONE_GALAXY = "(?i)group|cluster"
_GALAXY = "(?i)galax|^g(al)?$|agn|seyfert|bllac|qso|blazar"
_NO_KIND = REDSHIFT_KINDS.index("")
_TRUST = np.array([{"spec": 0, "": 1, "phot": 2}[kind] for kind in REDSHIFT_KINDS])
"""Rank of each redshift kind, the best 0."""

Entries = dict[str, npt.NDArray[Any]]
"""Columns by name, one value an entry."""


def galaxy_rows(index: CatalogIndex) -> npt.NDArray[np.int64]:
    """The rows of a catalog that are single galaxies, by its own class; none said means all."""
    kinds = index.sources.classes()
    if kinds.null_count == len(kinds):
        return np.arange(len(kinds), dtype=np.int64)
    text = kinds.cast(pa.string())
    several = pc.match_substring_regex(text, _NOT_ONE_GALAXY)
    keep = pc.and_not(pc.match_substring_regex(text, _GALAXY), several)
    # A catalog of galaxies that never says so has other words, of shapes or of nuclei.
    if index.kind == "galaxies" and not pc.any(keep).as_py():
        keep = pc.invert(several)
    keep = pc.fill_null(keep, index.kind == "galaxies")
    return np.flatnonzero(np.asarray(keep, bool))


def entries_of(code: int, index: CatalogIndex, rows: npt.NDArray[np.int64]) -> Entries:
    """One catalog's galaxies as columns; NaN where it does not know."""

    def number(name: str) -> npt.NDArray[np.float64]:
        column = index.columns.get(name)
        known = np.full(len(rows), np.nan) if column is None else column[rows].astype(np.float64)
        return np.where(np.isfinite(known), known, np.nan)

    major, minor = 0.5 * number("major_axis_arcsec"), 0.5 * number("minor_axis_arcsec")
    distance, kinds = number("distance_mpc"), index.columns.get("redshift_kind")
    redshift = number("redshift")
    kind = np.full(len(rows), _NO_KIND, np.uint8) if kinds is None else kinds[rows]
    photometry = np.zeros(len(rows), bool)
    for name, values in index.photometry.items():
        if not name.endswith("_err"):
            photometry |= np.isfinite(values[rows])
    ra_deg, dec_deg = index.positions_deg(rows)
    return {
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
        "catalog": np.full(len(rows), code, np.int16),
        "row": rows,
        "semi_major_arcsec": np.where(major > 0.0, major, np.nan),
        "semi_minor_arcsec": np.where(minor > 0.0, np.fmin(minor, major), np.nan),
        "position_angle_deg": number("position_angle_deg"),
        "redshift": redshift,
        "redshift_err": number("redshift_err"),
        "redshift_kind": kind,
        "distance_mpc": np.where(distance > 0.0, distance, np.nan),
        "has_photometry": photometry,
    }


def _first_of(
    leader: npt.NDArray[np.int64], usable: npt.NDArray[np.bool_], rank: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """For each entry the usable entry of its galaxy with the lowest rank; -1 if there is none."""
    candidates = np.flatnonzero(usable)
    candidates = candidates[np.lexsort((candidates, rank[candidates]))]
    best = np.full(len(leader), -1, np.int64)
    best[leader[candidates[::-1]]] = candidates[::-1]
    return best


def one_row_each(entries: Entries) -> Entries:
    """One row per galaxy out of the entries of several catalogs."""
    bare = ~np.isfinite(entries["semi_major_arcsec"])
    leader = leaders_of(
        entries["ra_deg"],
        entries["dec_deg"],
        entries["catalog"],
        entries["semi_major_arcsec"],
        entries["redshift"],
        bare.astype(np.int64),
    )
    lead = np.flatnonzero(leader == np.arange(len(leader)))
    order = np.zeros(len(leader), np.int64)

    def taken(name: str, source: npt.NDArray[np.int64], otherwise: Any) -> npt.NDArray[Any]:
        return np.where(source >= 0, entries[name][np.maximum(source, 0)], otherwise)

    known = np.isfinite(entries["redshift"])
    measured = _first_of(leader, known, _TRUST[entries["redshift_kind"]])[lead]
    placed = _first_of(leader, np.isfinite(entries["distance_mpc"]), order)[lead]
    shown = _first_of(leader, entries["has_photometry"], order)[lead]
    result = {name: values[lead] for name, values in entries.items()}
    result.update(
        redshift=taken("redshift", measured, np.nan),
        redshift_err=taken("redshift_err", measured, np.nan),
        redshift_kind=taken("redshift_kind", measured, _NO_KIND).astype(np.uint8),
        redshift_catalog=taken("catalog", measured, -1).astype(np.int16),
        redshift_row=taken("row", measured, -1),
        distance_mpc=taken("distance_mpc", placed, np.nan),
        photometry_catalog=taken("catalog", shown, -1).astype(np.int16),
        photometry_row=taken("row", shown, -1),
    )
    return result
