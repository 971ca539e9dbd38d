"""Positions and oracles for tests of searching."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from shared.sky.cone_search import Queries, cone_search
from shared.sky.sorted_catalog import sort_catalog

SPHERE_ARCSEC = 180 * 3_600

PLACES = st.one_of(
    st.tuples(st.floats(0, 360), st.floats(-90, 90)),
    # Poles, RA 0, vertices and edges of base cells, the border of the polar caps.
    st.tuples(
        st.sampled_from([0.0, 360.0, 45.0, 90.0, 180.0, 1e-9, 359.9999999]),
        st.sampled_from([90.0, -90.0, 89.99999, 0.0, 41.810314895778596, -41.8103148957786, 60.0]),
    ),
)


def all_over_the_sky(rng, n):
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def around(rng, n, ra, dec, spread_deg):
    """Positions within ``spread_deg`` of a place, by turning a cap at the pole towards it."""
    distance = np.radians(spread_deg * np.sqrt(rng.uniform(0, 1, n)))
    turn = rng.uniform(0, 2 * np.pi, n)
    cap = np.array([np.sin(distance) * np.cos(turn), np.sin(distance) * np.sin(turn),
                    np.cos(distance)])  # fmt: skip
    tilt, swing = np.radians(90 - dec), np.radians(ra)
    about_y = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    about_z = [[np.cos(swing), -np.sin(swing), 0], [np.sin(swing), np.cos(swing), 0], [0, 0, 1]]
    x, y, z = np.array(about_z) @ np.array(about_y) @ cap
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


def search(catalog, reach, queries, *, motion=None, ellipse=None, **options):
    """What was found, and (query, catalog row as given) of every match."""
    positions, order = sort_catalog(*catalog, reach, motion=motion, ellipse=ellipse)
    found = cone_search(positions, Queries.at(*queries), **options)
    return found, list(zip(found.query.tolist(), order[found.row].tolist(), strict=True))
