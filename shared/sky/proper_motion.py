"""Proper motion: a star's place on the sky at another epoch.

The standard model without its radial part (The Hipparcos and Tycho Catalogues, ESA SP-1200,
vol. 1, sect. 1.5.5): u(t) is parallel to u(t0) + m (t - t0), where m is the proper motion as a
vector at right angles to u(t0). Right at the poles. Left out are parallax (at most 0.8 arcsec,
Proxima; 0.1 arcsec needs a star within 10 pc) and the radial velocity's perspective effect (at
most 0.4 arcsec in 25 years, Barnard's star).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors

LONGEST_YEARS = 300.0
"""An epoch farther from the catalog's than this is a mistake; no motion is applied for it."""

FASTEST_ARCSEC_YR = 20.0
"""Barnard's star moves 10.4 arcsec a year; a number above this is not a proper motion."""

MAS_PER_RADIAN = 1_000.0 * ARCSEC_PER_RADIAN
TT_MINUS_TAI_DAYS = 32.184 / 86_400.0


@dataclass(frozen=True, slots=True)
class ProperMotion:
    """Proper motions of a catalog's rows; a row with NaN does not move."""

    pm_ra_mas_yr: npt.NDArray[np.float64]
    """Toward the east, cos(Dec) included, milliarcseconds a Julian year, shape (m,)."""
    pm_dec_mas_yr: npt.NDArray[np.float64]
    """Toward the north, milliarcseconds a Julian year, shape (m,)."""
    epoch_year: float
    """Epoch of the catalog's positions, Julian year (TT)."""
    row_epoch_year: npt.NDArray[np.float64] | None = None
    """Epochs of rows that differ from it, shape (m,), NaN where not; None if all are alike."""

    def rows(self, keep: npt.NDArray[np.int64]) -> ProperMotion:
        """The motions of some rows, by number."""
        own = self.row_epoch_year
        return ProperMotion(
            self.pm_ra_mas_yr[keep],
            self.pm_dec_mas_yr[keep],
            self.epoch_year,
            None if own is None else own[keep],
        )

    def speed_rad_yr(self) -> npt.NDArray[np.float64]:
        """Total motion, radians a year, shape (m,); 0 where unknown."""
        speed = np.hypot(self.pm_ra_mas_yr, self.pm_dec_mas_yr) / MAS_PER_RADIAN
        return np.where(np.isfinite(speed), speed, 0.0)

    def years_late(self) -> npt.NDArray[np.float64]:
        """How much later than ``epoch_year`` each row's own epoch is, years, shape (m,)."""
        if self.row_epoch_year is None:
            return np.zeros(len(self.pm_ra_mas_yr))
        late = np.asarray(self.row_epoch_year, dtype=np.float64) - self.epoch_year
        return np.where(np.isfinite(late), late, 0.0)


def julian_year(mjd_tai: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Julian years (TT) of Modified Julian Dates in TAI, shape (n,); J2000.0 is 2000.0."""
    days = np.atleast_1d(np.asarray(mjd_tai, dtype=np.float64)) + TT_MINUS_TAI_DAYS - 51_544.5
    return 2000.0 + days / 365.25


def east_and_north(
    ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Unit vectors toward the east and the north at ICRS positions, each of shape (n, 3).

    At a pole they are those of the given right ascension.
    """
    ra = np.radians(np.atleast_1d(np.asarray(ra_deg, dtype=np.float64)))
    dec = np.radians(np.atleast_1d(np.asarray(dec_deg, dtype=np.float64)))
    cos_ra, sin_ra = np.cos(ra), np.sin(ra)
    east = np.stack([-sin_ra, cos_ra, np.zeros_like(ra)], axis=1)
    north = np.stack([-np.sin(dec) * cos_ra, -np.sin(dec) * sin_ra, np.cos(dec)], axis=1)
    return east, north


def motion_vectors(
    ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike, motion: ProperMotion
) -> npt.NDArray[np.float64]:
    """Proper motions as vectors at right angles to the position, radians a year, shape (n, 3)."""
    east, north = east_and_north(ra_deg, dec_deg)
    toward_east = np.nan_to_num(motion.pm_ra_mas_yr, nan=0.0) / MAS_PER_RADIAN
    toward_north = np.nan_to_num(motion.pm_dec_mas_yr, nan=0.0) / MAS_PER_RADIAN
    return east * toward_east[:, None] + north * toward_north[:, None]


def moved(
    ra_deg: npt.ArrayLike,
    dec_deg: npt.ArrayLike,
    motion: ProperMotion,
    to_year: npt.ArrayLike,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Positions at another epoch.

    Parameters
    ----------
    ra_deg, dec_deg
        ICRS at the motion's epoch, degrees, shape (n,).
    motion
        Proper motions, shape (n,).
    to_year
        Julian year (TT), one for all or shape (n,).

    Returns
    -------
    Right ascension in [0, 360) and declination, degrees, shape (n,).
    """
    elapsed = np.asarray(to_year, dtype=np.float64) - motion.epoch_year - motion.years_late()
    vectors = unit_vectors(ra_deg, dec_deg)
    vectors += motion_vectors(ra_deg, dec_deg, motion) * elapsed[:, None]
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
