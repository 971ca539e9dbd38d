"""Where the Earth and its observatories are."""

from __future__ import annotations

import erfa
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TT_MINUS_TAI_DAYS = 32.184 / 86_400.0
EARTH_RADIUS_AU = 6_378.137 / 149_597_870.7
MJD_ZERO = 2_400_000.5
UT1_LAG_DAYS = 37.0 / 86_400.0
"""TAI minus UT1, whole seconds since 2017: a second shifts a main-belt body by 0.001 arcsec."""

PARALLAX_CONSTANTS: dict[str, tuple[float, float, float]] = {
    "ztf": (243.14022, 0.836322, 0.546875),
    "lsst": (289.25058, 0.864981, -0.500958),
}
"""By survey: longitude east (degrees), rho cos phi', rho sin phi', Earth radii, as the Minor
Planet Center lists them for I41 (Palomar) and X05 (Rubin)."""


def earth_at(mjd_tt: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Heliocentric position (AU) and velocity (AU/day) of the Earth's centre, ICRS, (n, 3).

    ERFA's ``epv00``: within 5 km of JPL's ephemerides from 1900 to 2100. TT stands for TDB.
    """
    state = erfa.epv00(MJD_ZERO, np.atleast_1d(np.asarray(mjd_tt, dtype=np.float64)))[0]
    return np.ascontiguousarray(state["p"]), np.ascontiguousarray(state["v"])


def observers_at(survey: str, mjd_tai: Floats) -> Floats:
    """Heliocentric positions of a survey's telescope, AU, ICRS, shape (n, 3).

    A survey that is not listed observes from the centre of the Earth. Precession since J2000 is
    left out of the telescope's place: 0.05 arcsec for a main-belt body.
    """
    earth, _ = earth_at(mjd_tai + TT_MINUS_TAI_DAYS)
    constants = PARALLAX_CONSTANTS.get(survey)
    if constants is None:
        return earth
    longitude, across, along = constants
    angle = erfa.era00(MJD_ZERO, mjd_tai - UT1_LAG_DAYS) + np.radians(longitude)
    place = np.stack([across * np.cos(angle), across * np.sin(angle), np.full(len(earth), along)])
    return np.ascontiguousarray(earth + EARTH_RADIUS_AU * place.T)
