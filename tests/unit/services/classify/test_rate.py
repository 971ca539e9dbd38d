import numpy as np
import pytest

from services.classify.classifiers.rate import rates_mag_per_day
from shared.light_curves.bands import DETECTION, UPPER_LIMIT
from shared.testing.light_curves import Point, batch_of_curves


def rates(curve: list[Point]) -> list[float]:
    return [float(x) for x in rates_mag_per_day(batch_of_curves([curve]).light_curves)[0]]


def point(t: float, band: str, mag: float) -> Point:
    flux = 10 ** (0.4 * (31.4 - mag))
    return (60_000.0 + t, band, flux, flux / 50.0, DETECTION)


RISE_AND_FADE = [
    point(0.0, "g", 19.0),
    point(0.1, "r", 19.5),
    point(5.0, "g", 18.0),
    point(5.1, "r", 18.5),
    point(15.0, "g", 18.5),
    point(15.1, "r", 19.0),
]


def test_slopes_of_both_sides_all_bands_together() -> None:
    rise, rise_error, fade, fade_error = rates(RISE_AND_FADE)
    assert rise == pytest.approx(-0.2, abs=1e-5)
    assert fade == pytest.approx(0.05, abs=1e-5)
    sigma = np.hypot(2.5 / np.log(10) / 50, 0.02)
    assert rise_error == pytest.approx(sigma / np.sqrt(2 * 2 * 2.5**2), rel=1e-3)
    assert fade_error == pytest.approx(sigma / np.sqrt(2 * 2 * 5.0**2), rel=1e-3)


def test_one_side_only() -> None:
    rise, _, fade, error = rates(RISE_AND_FADE[:4])
    assert rise == pytest.approx(-0.2, abs=1e-5)
    assert np.isnan([fade, error]).all()


@pytest.mark.parametrize(
    "curve",
    [
        RISE_AND_FADE[:1],
        [point(0.0, "g", 19.0), point(0.1, "g", 18.0)],  # a lever of two hours
        [(60_000.0, "g", float("nan"), 100.0, UPPER_LIMIT)],
        [point(0.0, "g", 19.0), point(40.0, "g", 18.0)],  # the first is beyond thirty days
    ],
)
def test_no_line_no_number(curve: list[Point]) -> None:
    assert np.isnan(rates(curve)).all()
