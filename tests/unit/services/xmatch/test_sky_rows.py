"""Proper motions and error ellipses of a catalog, all the way to an alert's matches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from services.xmatch.catalog_index import open_index
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogRows
from services.xmatch.crossmatch import crossmatch
from services.xmatch.indexing import index_rows, save_index
from shared.alert_batch import AlertBatch

MJD_2026 = 61_041.0
"""2026-01-01: Julian year 2026.0."""


def rows_of(ra_deg, dec_deg, reach_arcsec, **columns):
    names = [f"S{n}" for n in range(len(ra_deg))]
    return CatalogRows(
        np.array(ra_deg),
        np.array(dec_deg),
        reach_arcsec,
        pa.array(names),
        pa.nulls(len(names), pa.string()),
        **{name: np.array(values) for name, values in columns.items()},
    )


def names_at(places, catalog, rows, tmp_path, alerts_at, mjd_tai=MJD_2026):
    save_index(index_rows(catalog, rows, "r1"), tmp_path / "index")
    batch = alerts_at(places).record_batch
    index = batch.schema.get_field_index("mjd_tai")
    times = pa.array(np.full(len(places), mjd_tai))
    batch = AlertBatch(batch.set_column(index, batch.schema.field(index), times))
    matched = crossmatch(batch, [open_index(tmp_path / "index")], 5)
    return [[m["source_id"] for m in matches] for matches in matched.strings("matches")]


@pytest.fixture
def catalog():
    return replace(CATALOGS["gcvs"], epoch_year=2016.0, radius_arcsec=1.5)


def test_stars_are_where_they_were_when_the_alert_was_taken(catalog, tmp_path, alerts_at):
    rows = rows_of(
        [10.0, 10.0, 10.0, 10.0, np.nan],
        [10.0, 20.0, 30.0, 40.0, 50.0],
        1.5,
        pm_ra_masyr=[0.0, np.nan, 0.0, 0.0, 0.0],
        pm_dec_masyr=[1_000.0, np.nan, 1_000.0, 1e9, 0.0],
        epoch_year=[np.nan, np.nan, 2006.0, np.nan, np.nan],
    )
    ten, twenty = 10 / 3_600, 20 / 3_600
    places = [
        (10.0, 10.0), (10.0, 10.0 + ten), (10.0, 20.0), (10.0, 30.0 + ten),
        (10.0, 30.0 + twenty), (10.0, 40.0),
    ]  # fmt: skip
    found = names_at(places, catalog, rows, tmp_path, alerts_at)
    # S3 moves faster than any star: its motion is an error, its place is kept.
    assert found == [[], ["S0"], ["S1"], [], ["S2"], ["S3"]]


def test_a_date_beyond_belief_means_the_catalogs_epoch(catalog, tmp_path, alerts_at):
    rows = rows_of([10.0], [10.0], 1.5, pm_ra_masyr=[0.0], pm_dec_masyr=[1_000.0])
    for number, mjd in enumerate((np.nan, -1e9, 2_461_041.0)):
        (tmp_path / str(number)).mkdir()
        found = names_at([(10.0, 10.0)], catalog, rows, tmp_path / str(number), alerts_at, mjd)
        assert found == [["S0"]]


def test_error_ellipses_and_the_least_radius_across_them(catalog, tmp_path, alerts_at):
    rows = rows_of(
        [10.0, 50.0],
        [0.0, 0.0],
        np.array([100.0, 100.0]),
        error_major_arcsec=[100.0, np.nan],
        error_minor_arcsec=[0.5, np.nan],
        error_angle_deg=[90.0, np.nan],
    )
    arcsec = 1 / 3_600
    places = [
        (10.0 + 90 * arcsec, 0.0), (10.0, 1.4 * arcsec), (10.0, 1.6 * arcsec),
        (50.0, 90 * arcsec),
    ]  # fmt: skip
    found = names_at(places, catalog, rows, tmp_path, alerts_at)
    assert found == [["S0"], ["S0"], [], ["S1"]]
