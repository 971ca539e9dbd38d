"""Which galaxy an alert is said to be in."""

from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.hosts.candidates import ambiguity_of, find_hosts, hosts_column
from services.xmatch.hosts.galaxies import gather_galaxies
from shared.sky.cone_search import Queries

EDGE_ON = {"at": (40.0, 10.0), "id": "edge-on", "major_axis_arcsec": 240, "minor_axis_arcsec": 60,
           "position_angle_deg": 90, "redshift": 0.01}  # fmt: skip
FAR = {"at": (40.0, 10.02), "id": "far", "major_axis_arcsec": 20, "minor_axis_arcsec": 20,
       "redshift": 0.1}  # fmt: skip
CLOUD = {"at": (80.0, -69.0), "id": "cloud", "major_axis_arcsec": 38_760, "minor_axis_arcsec":
         33_000, "position_angle_deg": 170, "redshift": 0.0009, "reach": 19_380}  # fmt: skip
BEHIND = {"at": (80.5, -69.2), "id": "behind", "major_axis_arcsec": 20, "minor_axis_arcsec": 20}


@pytest.fixture
def hosts_at(places):
    def find(catalogs, positions):
        galaxies = gather_galaxies(catalogs)
        found = find_hosts(Queries.at(*np.array(positions, dtype=float).T), galaxies)
        column = hosts_column(found, galaxies)
        column.validate(full=True)
        return column.to_pylist(), ambiguity_of(found).to_pylist()

    return find


def names(hosts):
    return [host["source_id"] for host in hosts]


def test_the_rim_is_farther_along_the_major_axis(places, hosts_at):
    catalog = places.index_of("shapes", [EDGE_ON])
    east, north = places.offset(40, 10, 0, 120), places.offset(40, 10, 120, 0)
    hosts, _ = hosts_at([catalog], [east, north])
    assert hosts[0][0]["d_dlr"] == pytest.approx(1.0, rel=1e-3)
    # Four times nearer is the rim to the north: beyond three radii it is no host.
    assert hosts[1] == []
    assert hosts[0][0]["separation_arcsec"] == pytest.approx(120, abs=0.1)
    # 44.65 Mpc at z = 0.01 are 0.2126 kpc per arcsecond (astropy, Planck18).
    assert hosts[0][0]["offset_kpc"] == pytest.approx(120 * 0.2126, rel=2e-3)
    assert hosts[0][0]["distance_mpc"] == pytest.approx(44.65, rel=1e-3)


def test_the_nearest_in_light_radii_wins_and_not_in_arcseconds(places, hosts_at):
    catalog = places.index_of("shapes", [EDGE_ON, FAR])
    # 50 arcsec east and 22 north of the large one; 55 from the small one.
    hosts, ambiguity = hosts_at([catalog], [places.offset(40, 10, 10, 60), (40.0, 10.018)])
    assert names(hosts[0]) == ["edge-on"]
    assert names(hosts[1]) == ["far", "edge-on"]
    assert [host["rank"] for host in hosts[1]] == [1, 2]
    assert ambiguity[0] == 0.0
    d = [host["d_dlr"] for host in hosts[1]]
    assert ambiguity[1] == pytest.approx(d[0] / d[1], rel=1e-4)
    assert 0 < ambiguity[1] < 1


def test_at_most_three_in_order(places, hosts_at):
    rows = [{"at": places.offset(10, 0, 0, 2.0 * k), "id": f"g{k}", "major_axis_arcsec": 40,
             "minor_axis_arcsec": 40} for k in range(5)]  # fmt: skip
    hosts, ambiguity = hosts_at([places.index_of("crowd", rows)], [(10.0, 0.0)])
    assert names(hosts[0]) == ["g0", "g1", "g2"]
    assert ambiguity[0] == pytest.approx(0.0, abs=1e-6)


def test_a_galaxy_without_axes_reaches_fifty_kiloparsecs(places, hosts_at):
    bare = places.index_of("bare", [{"at": (100.0, 20.0), "id": "b", "distance_mpc": 100.0}])
    inside, outside = places.offset(100, 20, 100, 0), places.offset(100, 20, 106, 0)
    hosts, _ = hosts_at([bare], [inside, outside])
    assert hosts[0][0]["d_dlr"] is None
    assert hosts[0][0]["offset_kpc"] == pytest.approx(48.48, abs=0.05)
    assert hosts[1] == []


def test_nearby_ones_without_axes_do_not_claim_degrees(places, hosts_at):
    near = places.index_of("bare", [{"at": (100.0, 20.0), "id": "b", "distance_mpc": 3.0}])
    hosts, _ = hosts_at([near], [(100.0, 20.08), (100.0, 20.09)])
    assert [names(h) for h in hosts] == [["b"], []]


def test_a_galaxy_of_which_only_the_place_is_known(places, hosts_at):
    lone = places.index_of("lone", [{"at": (100.0, 20.0), "id": "b"}])
    hosts, _ = hosts_at([lone], [places.offset(100, 20, 4.9, 0), places.offset(100, 20, 5.1, 0)])
    assert [names(h) for h in hosts] == [["b"], []]
    assert hosts[0][0]["offset_kpc"] is None


def test_a_satellite_swallows_nothing(places, hosts_at):
    catalog = places.index_of("shapes", [CLOUD, BEHIND])
    at_the_other, in_the_cloud = (80.5, -69.2), (83.0, -68.0)
    outside_its_ellipse = (66.0, -69.0)
    hosts, ambiguity = hosts_at([catalog], [at_the_other, in_the_cloud, outside_its_ellipse])
    assert names(hosts[0]) == ["behind", "cloud"]
    assert ambiguity[0] == pytest.approx(0.0, abs=1e-3)
    assert names(hosts[1]) == ["cloud"]
    assert hosts[2] == []


def test_one_galaxy_of_two_catalogs_is_one_row_with_the_best_of_both(places, hosts_at):
    shapes = places.index_of("shapes", [{**EDGE_ON, "redshift": np.nan}])
    depths = places.index_of("depths", [
        {"at": places.offset(40, 10, 2, 2), "id": "same", "distance_mpc": 40.0, "redshift": 0.011},
        {"at": places.offset(40, 10, 60, 90), "id": "other", "distance_mpc": 41.0},
    ])  # fmt: skip
    for order in ([depths, shapes], [shapes, depths]):
        galaxies = gather_galaxies(order)
        assert len(galaxies) == 2
        hosts, _ = hosts_at(order, [(40.0, 10.0)])
        first = hosts[0][0]
        assert (first["catalog"], first["source_id"]) == ("shapes", "edge-on")
        assert first["distance_mpc"] == 40.0
        assert first["redshift"] == pytest.approx(0.011)


def test_two_galaxies_in_line_stay_two(places, hosts_at):
    one = places.index_of("one", [{**EDGE_ON}])
    two = places.index_of("two", [{"at": (40.0, 10.0005), "id": "behind", "redshift": 0.3}])
    assert len(gather_galaxies([one, two])) == 2


def test_spectroscopic_redshifts_are_preferred(places):
    photo = places.index_of(
        "photo", [{"at": (40.0, 10.0), "id": "p", "redshift": 0.012}], redshift_kind="phot"
    )
    spec = places.index_of("spec", [{"at": (40.0, 10.0), "id": "s", "redshift": 0.010}])
    galaxies = gather_galaxies([photo, spec])
    assert galaxies.redshift == pytest.approx([0.010])
    assert galaxies.redshift_catalog.tolist() == [1]
    assert galaxies.catalog.tolist() == [0]


def test_only_galaxies_of_catalogs_that_offer_hosts(places):
    rows = [{**EDGE_ON, "word": "Galaxy"}, {**FAR, "word": "Planetary Nebula"},
            {**BEHIND, "word": "Group of galaxies"}]  # fmt: skip
    assert len(gather_galaxies([places.index_of("ngc", rows)])) == 1
    assert gather_galaxies([places.index_of("ngc", rows, has_hosts=False)]) is None
    assert gather_galaxies([]) is None


def test_many_alerts_at_once_are_as_one_by_one(places, hosts_at):
    rng = np.random.default_rng(5)
    rows = [{"at": (50 + x, y), "id": f"g{i}", "major_axis_arcsec": m, "minor_axis_arcsec": m / 2,
             "position_angle_deg": 180 * u, "redshift": 0.05 * u + 0.003}
            for i, (x, y, m, u) in enumerate(zip(*rng.uniform(0, 0.3, (2, 300)),
                                                 rng.uniform(5, 200, 300), rng.uniform(0, 1, 300),
                                                 strict=True))]  # fmt: skip
    catalog = places.index_of("field", rows)
    positions = [(50 + x, y) for x, y in rng.uniform(0, 0.3, (80, 2))]
    together, ambiguity = hosts_at([catalog], positions)
    assert sum(map(bool, together)) > 40
    for row, place in enumerate(positions):
        alone, ambiguous = hosts_at([catalog], [place])
        assert alone[0] == together[row]
        assert ambiguous[0] == ambiguity[row]
