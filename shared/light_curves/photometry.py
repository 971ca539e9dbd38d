"""Magnitudes, fluxes and times, converted exactly and in bulk.

Fluxes are AB nanojansky: ``m_AB = 31.4 - 2.5 log10(f / nJy)``
(31.4 = 8.9 + 22.5, Rubin's convention, LSST DPDD section 3.3.1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

AB_ZERO_POINT_NJY = 31.4
"""AB magnitude of one nanojansky."""
MAGNITUDE_ERROR_FACTOR = 2.5 / float(np.log(10.0))
"""sigma_m = 1.0857 sigma_f / f."""
ASSUMED_MAGNITUDE_ERROR = 0.1
"""One sigma of a magnitude that comes without an error."""
JD_MINUS_MJD = 2_400_000.5
SECONDS_PER_DAY = 86_400.0


def flux_njy_of(magnitude_ab: npt.ArrayLike) -> FloatArray:
    """AB nanojansky of AB magnitudes, same shape; NaN stays NaN."""
    exponent = (AB_ZERO_POINT_NJY - np.asarray(magnitude_ab, dtype=np.float64)) / 2.5
    return np.asarray(np.power(10.0, exponent), dtype=np.float64)


def flux_err_njy_of(flux_njy: npt.ArrayLike, magnitude_err: npt.ArrayLike) -> FloatArray:
    """One-sigma flux error of a magnitude error, to first order: ``|f| sigma_m / 1.0857``."""
    flux = np.abs(np.asarray(flux_njy, dtype=np.float64))
    sigma = np.asarray(magnitude_err, dtype=np.float64)
    return np.asarray(flux * sigma / MAGNITUDE_ERROR_FACTOR, dtype=np.float64)


def magnitude_ab_of(flux_njy: npt.ArrayLike) -> FloatArray:
    """AB magnitude of fluxes in nanojansky; NaN where the flux is not positive."""
    flux = np.asarray(flux_njy, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = AB_ZERO_POINT_NJY - 2.5 * np.log10(flux)
    return np.asarray(np.where(flux > 0, magnitude, np.nan), dtype=np.float64)


# TAI - UTC in seconds from each date on (IERS Bulletin C; none announced since 2017).
_LEAP_MJD_UTC = np.array(
    [
        41317.0,
        41499.0,
        41683.0,
        42048.0,
        42413.0,
        42778.0,
        43144.0,
        43509.0,
        43874.0,
        44239.0,
        44786.0,
        45151.0,
        45516.0,
        46247.0,
        47161.0,
        47892.0,
        48257.0,
        48804.0,
        49169.0,
        49534.0,
        50083.0,
        50630.0,
        51179.0,
        53736.0,
        54832.0,
        56109.0,
        57204.0,
        57754.0,
    ]
)
_TAI_MINUS_UTC_S = np.arange(10.0, 38.0)


def mjd_tai_of_utc(mjd_utc: npt.ArrayLike) -> FloatArray:
    """TAI modified Julian date of a UTC one, valid from 1972-01-01; NaN stays NaN."""
    utc = np.asarray(mjd_utc, dtype=np.float64)
    era = np.clip(np.searchsorted(_LEAP_MJD_UTC, utc, side="right") - 1, 0, None)
    return np.asarray(utc + _TAI_MINUS_UTC_S[era] / SECONDS_PER_DAY, dtype=np.float64)


def mjd_utc_of_tai(mjd_tai: npt.ArrayLike) -> FloatArray:
    """UTC modified Julian date of a TAI one (the inverse of ``mjd_tai_of_utc``)."""
    tai = np.asarray(mjd_tai, dtype=np.float64)
    starts = _LEAP_MJD_UTC + _TAI_MINUS_UTC_S / SECONDS_PER_DAY
    era = np.clip(np.searchsorted(starts, tai, side="right") - 1, 0, None)
    return np.asarray(tai - _TAI_MINUS_UTC_S[era] / SECONDS_PER_DAY, dtype=np.float64)
