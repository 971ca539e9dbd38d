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


def test_a_measurement_given_twice_counts_once():
    same = 60000.0
    columns = light_curve_columns(
        1,
        [
            points((0, same, 1, 1, 1, DETECTION), (0, same, 0, 7, 1, UPPER_LIMIT)),
            points(
                (0, same + 0.5 * SAME_TIME_DAYS, 1 + 1e-7, 1, 1, DETECTION),
                (0, same, 0, 7, 1, UPPER_LIMIT),
                (0, same, 1, 1, 2, DETECTION),
                (0, same, 1, 1, 1, FORCED),
                (0, same + 2 * SAME_TIME_DAYS, 1, 1, 1, DETECTION),
            ),
        ],
    )
    assert columns["lc_kind"].to_pylist() == [[0, 2, 0, 1, 0]]
    assert columns["lc_band"].to_pylist() == [[1, 1, 2, 1, 1]]


def test_two_detections_of_one_exposure_both_count():
    columns = light_curve_columns(
        1,
        [
            points((0, 60000.0, 5.0, 1, 1, DETECTION)),
            points((0, 60000.0, -3.0, 1, 1, DETECTION), (0, 60000.0, 5.1, 1, 1, DETECTION)),
        ],
    )
    assert columns["lc_flux_njy"].to_pylist() == [pytest.approx([5.0, -3.0, 5.1])]


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


rows_of_points = st.tuples(
    st.integers(0, 3), st.integers(0, 400), st.integers(0, 5), st.integers(0, 2)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(rows_of_points, max_size=80))
def test_equals_a_plain_sort(rows):
    made = points(*((a, 60000 + t, f, 1, b, DETECTION) for a, t, b, f in rows))
    columns = light_curve_columns(4, [made])
    for alert in range(4):
        mine = sorted((t, k, b, f) for k, (a, t, b, f) in enumerate(rows) if a == alert)
        kept = dict.fromkeys((t, b, f) for t, _, b, f in mine)
        assert columns["lc_flux_njy"].to_pylist()[alert] == [f for _, _, f in kept]
        assert columns["lc_band"].to_pylist()[alert] == [b for _, b, _ in kept]
