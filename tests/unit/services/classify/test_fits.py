import numpy as np
import pytest

from services.classify.features.fits import NAMES, fitted_features
from services.classify.features.fits_kernel import BAZIN, SIGMOID, VILLAR, fit, model
from shared.light_curves.bands import DETECTION
from shared.light_curves.ragged import RaggedLightCurves

TRUTH = {
    BAZIN: [1.4, -2.0, np.log(30.0), np.log(3.0)],
    SIGMOID: [1.0, np.log(0.4), -5.0],
    VILLAR: [1.1, -6.0, np.log(15.0), 0.4, np.log(2.5), np.log(30.0)],
}


@pytest.mark.parametrize("shape", TRUTH)
def test_a_fit_finds_the_curve_that_was_put_in(shape: int) -> None:
    p = np.array([*TRUTH[shape], 0.0, 0.0, 0.0])[:6]
    t = np.arange(-25.0, 90.0, 1.5)
    f = np.array([model(shape, p, x) for x in t])
    found = np.zeros(6)
    chi2 = fit(shape, len(TRUTH[shape]), t, f, np.full(len(t), 1e4), found)
    fitted = np.array([model(shape, found, x) for x in t])
    assert chi2 / len(t) < 1.0
    np.testing.assert_allclose(fitted, f, atol=0.02)


def bell_of(points: int) -> RaggedLightCurves:
    p = np.array([1.4, 0.0, np.log(30.0), np.log(3.0), 0.0, 0.0])
    t = np.linspace(-20, 80, points)
    flux = 5_000.0 * np.array([model(BAZIN, p, x) for x in t])
    return RaggedLightCurves(
        offsets=np.array([0, points], dtype=np.int32),
        mjd_tai=60_000.0 + t,
        flux_njy=flux.astype(np.float32),
        flux_err_njy=np.full(points, 20.0, dtype=np.float32),
        band=np.full(points, 2, dtype=np.int8),
        kind=np.full(points, DETECTION, dtype=np.int8),
    )


def test_features_of_a_light_curve() -> None:
    values = dict(zip(NAMES, fitted_features(bell_of(60), 10.0)[:, 0].tolist(), strict=True))
    assert values["bazin_fall_days_r"] == pytest.approx(30.0, rel=0.05)
    assert values["bazin_rise_days_r"] == pytest.approx(3.0, rel=0.05)
    assert values["bazin_chi2_r"] < 0.5
    assert np.isnan(values["bazin_chi2_g"])


def test_too_few_points_and_no_budget_give_nothing() -> None:
    assert np.isnan(fitted_features(bell_of(3), 10.0)).all()
    assert np.isnan(fitted_features(bell_of(60), -1.0)).all()
