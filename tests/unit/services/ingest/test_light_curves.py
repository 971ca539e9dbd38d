"""Assembling light curves from points in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.light_curves import SAME_TIME_DAYS, Points, light_curve_columns
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT


def points(*rows):
    """Rows of (alert, mjd, flux, err, band, kind)."""
    columns = list(zip(*rows, strict=True)) or [()] * 6
    alert, mjd, flux, err, band, kind = (np.array(column, np.float64) for column in columns)
    return Points(alert.astype(int), mjd, flux, err, band.astype(int), kind.astype(int))


def test_sorted_and_parted_by_alert():
    columns = light_curve_columns(
        3,
        [
            points((2, 60003, 1, 1, 1, DETECTION), (0, 60003, 2, 1, 1, DETECTION)),
            points((0, 60001, 3, 1, 2, DETECTION), (2, 60004, 4, 1, 2, FORCED),
                   (0, 60002, 0, 5, 1, UPPER_LIMIT)),
        ],
    )  # fmt: skip
    assert columns["lc_mjd_tai"].to_pylist() == [[60001, 60002, 60003], [], [60003, 60004]]
    assert columns["lc_kind"].to_pylist() == [[0, 2, 0], [], [0, 1]]
    assert np.isnan(columns["lc_flux_njy"].to_pylist()[0][1])


def test_repeats_are_dropped_but_not_other_kinds_or_bands():
    same = 60000.0
    columns = light_curve_columns(
        1,
        [
            points((0, same, 1, 1, 1, DETECTION)),
            points(
                (0, same + 0.5 * SAME_TIME_DAYS, 2, 1, 1, DETECTION),
                (0, same, 3, 1, 2, DETECTION),
                (0, same, 4, 1, 1, FORCED),
                (0, same + 2 * SAME_TIME_DAYS, 5, 1, 1, DETECTION),
            ),
        ],
    )
    assert columns["lc_flux_njy"].to_pylist() == [[1, 3, 4, 5]]


@pytest.mark.parametrize(
    "row",
    [
        (0, np.nan, 1, 1, 1, DETECTION),
        (0, 1e9, 1, 1, 1, DETECTION),
        (0, 60000, np.nan, 1, 1, DETECTION),
        (0, 60000, np.inf, 1, 1, FORCED),
        (0, 60000, 1e35, 1, 1, FORCED),
        (0, 60000, 1, 1, -1, DETECTION),
        (0, 60000, 1, np.nan, 1, UPPER_LIMIT),
        (0, 60000, 1, 0, 1, UPPER_LIMIT),
        (0, 60000, 1, -3, 1, UPPER_LIMIT),
    ],
)
def test_unsound_points_are_left_out(row):
    assert light_curve_columns(1, [points(row)])["lc_band"].to_pylist() == [[]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400), st.integers(0, 5)), max_size=80))
def test_equals_a_plain_sort(rows):
    made = points(*((a, 60000 + t, k, 1, b, DETECTION) for k, (a, t, b) in enumerate(rows)))
    columns = light_curve_columns(4, [made])
    for alert in range(4):
        mine = sorted((t, k, b) for k, (a, t, b) in enumerate(rows) if a == alert)
        kept, seen = [], set()
        for t, k, b in mine:
            if (t, b) not in seen:
                seen.add((t, b))
                kept.append(float(k))
        assert columns["lc_flux_njy"].to_pylist()[alert] == kept
