import numpy as np
import pytest

from services.classify.features import NAMES, compute_features, features_of
from services.classify.features.whole import distance_modulus_mag, whole_features
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.testing.light_curves import Point, batch_of_curves

NAN = float("nan")
TIMES = np.arange(-40.0, 81.0, 4.0)


def bell(peak: float = 10_000.0, width: float = 10.0, band: str = "r") -> list[Point]:
    flux = peak * np.exp(-0.5 * (TIMES / width) ** 2)
    return [(60_000.0 + t, band, float(f), 100.0, FORCED) for t, f in zip(TIMES, flux, strict=True)]


def feature(curve: list[Point], name: str) -> float:
    return float(compute_features(batch_of_curves([curve])).of(name)[0])


@pytest.mark.parametrize(
    ("name", "expected", "tolerance"),
    [
        ("whole_n_points", len(TIMES), 0),
        ("days_observed", 120.0, 0),
        ("whole_snr_max_r", 100.0, 1e-3),
        ("peak_log_flux_r", 4.0, 0.02),
        ("days_reference_to_peak_r", 0.0, 1e-6),
        ("days_half_rise_r", 11.77, 0.7),  # sqrt(2 ln 2) times the width
        ("days_half_fall_r", 11.77, 0.7),
        ("equivalent_width_r", 25.07, 1.0),  # sqrt(2 pi) times the width
        ("shape_r_p0d", 1.0, 0.02),
        ("shape_r_p10d", 0.61, 0.04),
        ("n_seasons_5sigma", 1, 0),
        ("whole_n_negative_5sigma", 0, 0),
    ],
)
def test_a_bell(name: str, expected: float, tolerance: float) -> None:
    assert feature(bell(), name) == pytest.approx(expected, abs=tolerance + 1e-6)


def test_contrast_is_the_difference_over_the_sum() -> None:
    both = sorted([*bell(30_000.0, band="g"), *bell(10_000.0, band="r")])
    assert feature(both, "contrast_gr_p10d") == pytest.approx(0.5, abs=0.01)
    assert feature(both, "peak_colour_gr_mag") == pytest.approx(-2.5 * np.log10(3.0), abs=0.01)


def test_shapes_do_not_depend_on_brightness() -> None:
    bright = [(t, b, f * 50.0, e * 50.0, k) for t, b, f, e, k in bell()]
    for name in ("days_half_rise_r", "shape_r_p10d", "eta_r", "skew_r", "equivalent_width_r"):
        assert feature(bright, name) == pytest.approx(feature(bell(), name), rel=1e-5)


def test_an_upper_limit_counts_as_no_flux() -> None:
    limit: list[Point] = [(60_100.0, "r", NAN, 100.0, UPPER_LIMIT)]
    zero: list[Point] = [(60_100.0, "r", 0.0, 100.0, FORCED)]
    for name in ("whole_n_points", "mean_snr_r", "days_observed"):
        assert feature([*bell(), *limit], name) == feature([*bell(), *zero], name)


def test_the_hosts_redshift_gives_rest_frame_features_and_nothing_else_changes() -> None:
    curves = batch_of_curves([bell()]).light_curves
    nowhere, near = np.array([NAN]), np.array([0.1])
    without, having = whole_features(curves, nowhere), whole_features(curves, near)
    names = [n for n in NAMES if n.startswith(("rest_", "absolute_"))]
    both = [features_of(curves, nowhere, z) for z in (nowhere, near)]
    assert np.isnan([both[0].of(n)[0] for n in names]).all()
    half = both[1].of("days_half_fall_r")[0]
    assert both[1].of("rest_days_half_fall_r")[0] == pytest.approx(half / 1.1, rel=1e-5)
    assert both[1].of("absolute_peak_r_mag")[0] == pytest.approx(21.4 - 38.31, abs=0.05)
    changed = ~(np.isclose(without, having, equal_nan=True))[:, 0]
    assert 0 < changed.sum() <= len(names)


def test_distance_modulus_is_that_of_the_usual_cosmology() -> None:
    # Wright 2006 (PASP 118, 1711), H0 = 70, matter 0.3, flat: 460.3 Mpc at z = 0.1
    expected = 5.0 * np.log10(460.3) + 25.0
    assert distance_modulus_mag(np.array([0.1]))[0] == pytest.approx(expected, abs=0.01)
    assert np.isnan(distance_modulus_mag(np.array([NAN]))).all()


@pytest.mark.parametrize(
    "curve",
    [
        [],
        [(60_000.0, "g", NAN, 200.0, UPPER_LIMIT)],
        [(60_000.0, "g", -900.0, 10.0, DETECTION)],
        [(60_000.0, "g", 100.0, 0.0, DETECTION)],
    ],
)
def test_odd_curves_give_no_infinity_and_leave_their_neighbours_alone(curve: list[Point]) -> None:
    alone = features_of(
        batch_of_curves([bell()]).light_curves, np.array([NAN]), np.array([0.1])
    ).values[:, 0]
    batch = batch_of_curves([bell(), curve or [(60_000.0, "g", NAN, NAN, DETECTION)], bell()])
    values = features_of(batch.light_curves, np.full(3, NAN), np.full(3, 0.1)).values
    assert not np.isinf(values).any()
    np.testing.assert_array_equal(values[:, 0], alone)
    np.testing.assert_array_equal(values[:, 2], alone)
