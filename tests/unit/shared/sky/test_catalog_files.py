from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from shared.sky.catalog_files import SortedCatalogFiles, mapped_catalog
from shared.sky.catalog_layers import Ellipse, SkyRows
from shared.sky.cone_search import Queries, SortedCatalog, cone_search
from shared.sky.healpix import healpix_of
from shared.sky.proper_motion import ProperMotion
from shared.sky.sorted_catalog import sort_catalog
from tests.unit.shared.sky.skies import all_over_the_sky

ROWS = 30_000


@pytest.fixture
def partitions():
    """A catalog with everything, as row numbers of each of the 48 partitions of order 1."""
    rng = np.random.default_rng(4)
    ra, dec = all_over_the_sky(rng, ROWS)
    speed = 10 ** rng.uniform(-2, 4, ROWS) * (rng.uniform(size=ROWS) > 0.3)
    whole = SkyRows(
        ra,
        dec,
        10 ** rng.uniform(0, 4, ROWS),
        ProperMotion(speed, -speed, 2016.0, rng.uniform(2010, 2016, ROWS)),
        Ellipse(rng.uniform(0.1, 1.5, ROWS), rng.uniform(0, 180, ROWS)),
    )
    cells = healpix_of(1, ra, dec)
    return whole, [np.flatnonzero(cells == cell) for cell in range(48)]


def part(whole, keep, **changes):
    given = {
        "ra_deg": whole.ra_deg[keep],
        "dec_deg": whole.dec_deg[keep],
        "reach_arcsec": whole.reach_arcsec[keep],
        "motion": whole.motion.rows(keep),
        "ellipse": whole.ellipse.rows(keep),
    }
    return SkyRows(**{**given, **changes})


def test_partitions_make_the_same_files_as_the_whole_in_memory(partitions, tmp_path):
    whole, parts = partitions
    kept = {}
    with SortedCatalogFiles(tmp_path, 2016.0) as files:
        for keep in parts:
            for layer, taken in files.add(part(whole, keep)):
                kept.setdefault(layer, []).append(keep[taken])
        order = np.concatenate([rows for layer in files.finish() for rows in kept[layer]])
    catalog, expected_order = sort_catalog(
        whole.ra_deg, whole.dec_deg, whole.reach_arcsec, motion=whole.motion, ellipse=whole.ellipse
    )
    assert np.array_equal(order, expected_order)
    mapped = mapped_catalog(tmp_path)
    for field in fields(SortedCatalog):
        ours, theirs = getattr(mapped, field.name), getattr(catalog, field.name)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs), field.name
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy"}
    found = cone_search(mapped, Queries.at(*all_over_the_sky(np.random.default_rng(1), 500), 2025))
    assert len(found.row) > 100


def test_one_reach_for_all_and_nothing_that_moves(partitions, tmp_path):
    whole, parts = partitions
    with SortedCatalogFiles(tmp_path) as files:
        for keep in parts:
            files.add(part(whole, keep, reach_arcsec=2.0, motion=None, ellipse=None))
        assert files.finish() == [0]
    catalog, _ = sort_catalog(whole.ra_deg, whole.dec_deg, 2.0)
    mapped = mapped_catalog(tmp_path)
    assert mapped.reach_rad.shape == (1,)
    assert mapped.motion.shape == (0, 4)
    assert np.array_equal(mapped.cells29, catalog.cells29)
    assert np.array_equal(mapped.bucket_start, catalog.bucket_start)


def test_no_partition_at_all(tmp_path):
    with SortedCatalogFiles(tmp_path) as files:
        assert files.finish() == []
    assert len(cone_search(mapped_catalog(tmp_path), Queries.at(1.0, 1.0)).row) == 0


def test_refuses_partitions_out_of_order_and_leaves_nothing(partitions, tmp_path):
    whole, parts = partitions
    with SortedCatalogFiles(tmp_path, 2016.0) as files:
        files.add(part(whole, parts[7]))
        with pytest.raises(ValueError, match="order of their HEALPix cells"):
            files.add(part(whole, parts[6]))
        with pytest.raises(ValueError, match="one reach"):
            files.add(part(whole, parts[8], reach_arcsec=1.0))
    assert list(tmp_path.iterdir()) == []
