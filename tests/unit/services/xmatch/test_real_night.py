"""The classes of one real night, beside an independent match with astropy."""

from __future__ import annotations

import importlib.metadata
import os
from collections import Counter
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord

from services.xmatch.catalog_store import open_named
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.crossmatch import crossmatch_or_reject

NIGHT = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / (
    "ztf/night_20240115_849_no_cutouts.parquet"
)
PLANTED = [(189.8481, -37.5295), (191.1, -31.54), (191.8481, -35.5295), (192.8481, -34.5295),
           (193.1, -29.54), (194.1, -28.54)]  # fmt: skip
"""SOURCE.txt beside the file: positions that were written over true ones, eight alerts each."""

FILES = {
    "vsx": ("vsx.parquet", ("RAJ2000", "DEJ2000", "VType")),
    "gcvs": ("gcvs.parquet", ("ra", "dec", "VarType")),
}
pytestmark = pytest.mark.shelf


def true_positions():
    if not NIGHT.is_file():
        pytest.skip(f"{NIGHT} is not there; set TOCSIN_DATA to the folder of real packets")
    candidates = pq.read_table(NIGHT, columns=["candidate"])["candidate"].combine_chunks()
    places = np.array([candidates.field(name).to_numpy() for name in ("ra", "dec")]).T
    planted = [np.isclose(places, place, rtol=0, atol=1e-4).all(axis=1) for place in PLANTED]
    assert [hits.sum() for hits in planted] == [8] * 6
    return places[~np.any(planted, axis=0)]


def by_astropy(name, places):
    """Type of the nearest row of the published table within 1.5 arcsec, None without."""
    file, columns = FILES[name]
    package = importlib.metadata.distribution("fink-science")
    path = str(package.locate_file(f"fink_science/data/catalogs/{file}"))
    ra, dec, kind = (column.to_pylist() for column in pq.read_table(path, columns=list(columns)))
    nearest, separation, _ = SkyCoord(places, unit="deg").match_to_catalog_sky(
        SkyCoord(np.array(ra, float), np.array(dec, float), unit="deg")
    )
    return [
        (kind[row] or "").strip() or None if close else "no match"
        for row, close in zip(nearest, separation <= 1.5 * u.arcsec, strict=True)
    ]


@pytest.mark.long
@pytest.mark.parametrize(("name", "matches"), [("vsx", 217), ("gcvs", 20)])
def test_classes_of_the_849_alerts(name, matches, tmp_path, alerts_at):
    places = true_positions()
    assert len(places) == 801
    try:
        index = open_named(name, tmp_path)
    except CatalogUnavailableError as error:
        pytest.skip(str(error))
    result = crossmatch_or_reject(alerts_at([tuple(place) for place in places]), [index], 5)
    assert not result.rejected
    ours = [m[0]["source_class"] if m else "no match" for m in result.batch.strings("matches")]
    theirs = by_astropy(name, places)
    assert Counter(ours) == Counter(theirs)
    assert ours == theirs
    if index.version == "fink-science-7.4.0":
        assert sum(kind != "no match" for kind in ours) == matches
