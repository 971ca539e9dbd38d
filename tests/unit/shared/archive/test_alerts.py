"""Tables of packed alerts, and cones: what brute force finds, and no private hit of others."""

import numpy as np
import pyarrow as pa
import pytest

from services.archive.nightly.pack import pack_night
from shared.archive.alerts import alert_tables, alerts_around
from shared.archive.cones import Cone, cone_ranges
from shared.archive.readers import ANYBODY, Reader
from shared.archive.snapshots import current_snapshot, snapshots_for
from shared.schemas.watched import REGIONS
from shared.sky.healpix import healpix29_of
from shared.sky.separation import separation_arcsec
from shared.testing.nights import made_up_night

NIGHT = 60_000


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    region = [{"name": "here", "owner": "ann", "version": "1", "is_public": False}]
    for n in range(2):
        table = made_up_night(NIGHT + n, 500, seed=n)
        lists = [region] + [[]] * 499
        table = table.append_column(REGIONS, pa.array(lists, REGIONS.type))
        pack_night(folder, "ztf", NIGHT + n, [table], expected=500)
    return folder


def test_tables_are_what_was_packed(root):
    snapshot = current_snapshot(root, "ztf")
    table = pa.concat_tables(alert_tables(snapshot, ANYBODY, alerts_per_table=100))
    assert len(set(table["alert_id"].to_pylist())) == 1000
    packed = made_up_night(NIGHT, 500)
    assert table.select(packed.column_names).schema.equals(
        pa.schema([field.with_nullable(True) for field in packed.schema]).remove_metadata()
    )
    few = pa.concat_tables(
        alert_tables(snapshot, ANYBODY, nights=[NIGHT], columns=["alert_id", "regions"])
    )
    assert (few.num_rows, few.column_names) == (500, ["alert_id", "regions"])
    assert sum(map(len, few["regions"].to_pylist())) == 0
    own = pa.concat_tables(alert_tables(snapshot, Reader("ann"), columns=["regions"]))
    assert sum(map(len, own["regions"].to_pylist())) == 2


@pytest.mark.parametrize(
    ("place", "radius_arcsec"),
    [
        ((10.0, 10.0), 36_000.0), ((0.001, -89.9), 72_000.0), ((359.99, 41.8), 18_000.0),
        ((45.0, 41.81), 648_000.0), ((45.0, 41.81), 1.0),
    ],
)  # fmt: skip
def test_a_cone_finds_what_brute_force_finds(root, place, radius_arcsec):
    alerts = pa.concat_tables(alert_tables(current_snapshot(root, "ztf"), ANYBODY))
    away = separation_arcsec(
        alerts["ra_deg"].to_numpy(), alerts["dec_deg"].to_numpy(),
        np.full(1000, place[0]), np.full(1000, place[1]),
    )  # fmt: skip
    expected = set(np.asarray(alerts["alert_id"])[away <= radius_arcsec])
    found = alerts_around(snapshots_for(root, ANYBODY, {}), ANYBODY, Cone(*place, radius_arcsec))
    assert set(found["alert_id"].to_pylist()) == expected
    assert (np.diff(found["separation_arcsec"].to_numpy()) >= 0).all()


def test_ranges_hold_every_point_of_the_cone():
    rng = np.random.default_rng(3)
    for _ in range(200):
        ra, dec = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
        radius_deg = 10 ** rng.uniform(-4, 1)
        angle = np.linspace(0, 2 * np.pi, 50)
        rim_dec = np.clip(dec + radius_deg * np.sin(angle), -90, 90)
        rim_ra = ra + radius_deg * np.cos(angle) / np.maximum(np.cos(np.radians(rim_dec)), 1e-6)
        inside = separation_arcsec(rim_ra, rim_dec, np.full(50, ra), np.full(50, dec))
        cells = healpix29_of(rim_ra, rim_dec)[inside <= radius_deg * 3600]
        ranges = cone_ranges(Cone(ra, dec, radius_deg * 3600))
        assert all(any(low <= cell < high for low, high in ranges) for cell in cells)


@pytest.mark.parametrize("cone", [(0, 91, 1), (float("nan"), 0, 1), (0, 0, 0), (0, 0, -1)])
def test_what_is_no_cone_is_refused(cone):
    with pytest.raises(ValueError, match="no cone"):
        cone_ranges(Cone(*cone))
