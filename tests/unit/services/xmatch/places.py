"""A small sky of made-up catalogs, as indexes, for what is made of matches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import Catalog, CatalogRows
from services.xmatch.indexing import index_rows

NUMBERS = (
    "redshift", "redshift_err", "distance_mpc", "magnitude", "major_axis_arcsec",
    "minor_axis_arcsec", "position_angle_deg",
)  # fmt: skip


def index_of(name, rows, *, kind="galaxies", has_hosts=True, redshift_kind="spec", photometry=()):
    """An index of ``rows``: dicts of ``at`` (RA, Dec), ``id``, ``word``, ``reach`` and numbers."""

    def numbers(key):
        return np.array([row.get(key, np.nan) for row in rows], dtype=np.float64)

    places = np.array([row["at"] for row in rows], dtype=np.float64)
    catalog = Catalog(
        name=name, title=name, kind=kind, reference="none", licence="none", radius_arcsec=1.5,
        epoch_year=2000.0, magnitude_band="r", mend="none", rows=lambda table: None,
        has_hosts=has_hosts, redshift_kind=redshift_kind,
    )  # fmt: skip
    rows_ = CatalogRows(
        ra_deg=places[:, 0],
        dec_deg=places[:, 1],
        reach_arcsec=np.array([row.get("reach", 1.5) for row in rows]),
        source_id=pa.array([row["id"] for row in rows], pa.string()),
        source_class=pa.array([row.get("word") for row in rows], pa.string()),
        **{key: numbers(key) for key in NUMBERS},
        photometry={key: numbers(key) for key in photometry},
    )
    return index_rows(catalog, rows_, "test-1")


def column_of(batch, name, member=None):
    """A column as Python values, or one member of a struct."""
    column = batch.column(name)
    return (column if member is None else pc.struct_field(column, member)).to_pylist()


def offset(ra_deg, dec_deg, north_arcsec=0.0, east_arcsec=0.0):
    """A place so many arcseconds north and east of another, for small angles."""
    dec = dec_deg + north_arcsec / 3600
    return ra_deg + east_arcsec / 3600 / np.cos(np.radians(dec)), dec
