"""Great-circle separations, unit vectors and galactic latitude."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ARCSEC_PER_RADIAN = 648_000.0 / np.pi

NORTH_GALACTIC_POLE = np.array([-0.8676661375596585, -0.19807633727300056, 0.45598381368730206])
"""ICRS unit vector of the galactic pole as astropy defines it: B1950 (192.25, 27.4) in FK5."""


def is_on_sky(ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether positions are places on the sky.

    Right ascension in [-360, 360], so that one given from -180 or a little over a turn is good
    and a number that means something else is not; declination in [-90, 90], degrees.
    """
    ra, dec = np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64)
    # Comparisons with NaN are false.
    good: npt.NDArray[np.bool_] = (np.abs(ra) <= 360.0) & (np.abs(dec) <= 90.0)
    return good


def unit_vectors(ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cartesian unit vectors of ICRS positions in degrees, shape (n, 3).

    The vector of a pole is exact: its cosine is taken of the co-latitude.
    """
    ra = np.radians(np.atleast_1d(np.asarray(ra_deg, dtype=np.float64)))
    dec = np.atleast_1d(np.asarray(dec_deg, dtype=np.float64))
    across = np.sin(np.radians(90.0 - np.abs(dec)))
    vectors = np.empty((len(ra), 3))
    np.multiply(across, np.cos(ra), out=vectors[:, 0])
    np.multiply(across, np.sin(ra), out=vectors[:, 1])
    np.sin(np.radians(dec), out=vectors[:, 2])
    return vectors


def separation_arcsec(
    ra1_deg: npt.ArrayLike,
    dec1_deg: npt.ArrayLike,
    ra2_deg: npt.ArrayLike,
    dec2_deg: npt.ArrayLike,
) -> npt.NDArray[np.float64]:
    """Great-circle distance of positions, pair by pair.

    Vincenty's formula for a sphere: as exact for a microarcsecond as for antipodes. Right at
    the poles and across RA 0.

    Parameters
    ----------
    ra1_deg, dec1_deg, ra2_deg, dec2_deg
        ICRS, degrees, scalars or arrays that broadcast.

    Returns
    -------
    Arcseconds in [0, 648000]; NaN where a coordinate is NaN.
    """
    turn = np.radians(np.asarray(ra2_deg, dtype=np.float64) - np.asarray(ra1_deg, dtype=np.float64))
    dec1 = np.radians(np.asarray(dec1_deg, dtype=np.float64))
    dec2 = np.radians(np.asarray(dec2_deg, dtype=np.float64))
    rise = np.radians(np.asarray(dec2_deg, dtype=np.float64) - np.asarray(dec1_deg, np.float64))
    cos1, sin1, cos2, sin2 = np.cos(dec1), np.sin(dec1), np.cos(dec2), np.sin(dec2)
    # sin(dec2 - dec1) plus a haversine term, not sin2 cos1 - cos2 sin1 cos(turn): the latter
    # is a difference of nearly equal numbers when the two positions almost coincide.
    north = np.sin(rise) + 2.0 * sin1 * cos2 * np.sin(0.5 * turn) ** 2
    east = cos2 * np.sin(turn)
    along = sin1 * sin2 + cos1 * cos2 * np.cos(turn)
    result: npt.NDArray[np.float64] = np.arctan2(np.hypot(east, north), along) * ARCSEC_PER_RADIAN
    return result


def galactic_latitude_deg(ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Galactic latitude b of ICRS positions in degrees, shape (n,), in [-90, 90]."""
    return galactic_latitude_of(unit_vectors(ra_deg, dec_deg))


def galactic_latitude_of(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Galactic latitude b of ICRS unit vectors, shape (n, 3), in degrees, shape (n,)."""
    toward_pole = np.clip(vectors @ NORTH_GALACTIC_POLE, -1.0, 1.0)
    result: npt.NDArray[np.float64] = np.degrees(np.arcsin(toward_pole))
    return result
