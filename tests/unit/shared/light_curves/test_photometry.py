"""Magnitudes, fluxes and times against numbers worked out by hand."""

import numpy as np
import pytest

from shared.light_curves.photometry import (
    flux_err_njy_of,
    flux_njy_of,
    magnitude_ab_of,
    mjd_tai_of_utc,
    mjd_utc_of_tai,
)


@pytest.mark.parametrize(
    ("magnitude", "flux_njy"),
    [(31.4, 1.0), (28.9, 10.0), (23.9, 1000.0), (18.9, 1e5), (8.9, 1e9)],
)
def test_flux_of_magnitude_by_hand(magnitude: float, flux_njy: float) -> None:
    assert flux_njy_of(magnitude) == pytest.approx(flux_njy, rel=1e-12)
    assert magnitude_ab_of(flux_njy) == pytest.approx(magnitude, abs=1e-12)


def test_flux_error_is_first_order() -> None:
    # 0.1 mag at 1000 nJy: 1000 * 0.1 / 1.0857362
    assert flux_err_njy_of(1000.0, 0.1) == pytest.approx(92.1034037, rel=1e-8)
    assert flux_err_njy_of(-1000.0, 0.1) == pytest.approx(92.1034037, rel=1e-8)


def test_no_magnitude_without_light() -> None:
    assert np.isnan(magnitude_ab_of([0.0, -5.0, np.nan])).all()


@pytest.mark.parametrize(
    ("mjd_utc", "tai_minus_utc_s"),
    [(41317.0, 10), (51544.5, 32), (57753.999, 36), (57754.0, 37), (60000.0, 37)],
)
def test_leap_seconds(mjd_utc: float, tai_minus_utc_s: int) -> None:
    tai = mjd_tai_of_utc(mjd_utc)
    assert (tai - mjd_utc) * 86400 == pytest.approx(tai_minus_utc_s, abs=1e-5)
    assert mjd_utc_of_tai(tai) == pytest.approx(mjd_utc, abs=1e-11)


def test_times_agree_with_astropy() -> None:
    time = pytest.importorskip("astropy.time")
    utc = np.linspace(45000.0, 61000.0, 500)
    expected = time.Time(utc, format="mjd", scale="utc").tai.mjd
    # Within a day of a leap second UTC-MJD itself is ambiguous by the stretched day.
    assert np.max(np.abs(mjd_tai_of_utc(utc) - expected)) * 86400 < 1.1
    assert np.median(np.abs(mjd_tai_of_utc(utc) - expected)) * 86400 < 1e-5
