"""When objects are up at a site tonight: astroplan's twilights, astropy's places of Sun and Moon.

No network: earth orientation comes with astropy's data package, good to a second of time for a
year or more, which is far finer than an airmass needs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import numpy.typing as npt
from astroplan import Observer
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers

from services.classify.learning.targets.facilities import Facility

STEP_MINUTES = 20.0
BRIGHT_MOON = 0.35
"""Illuminated share from which the Moon's distance counts."""
Floats = npt.NDArray[np.float64]


@contextmanager
def _offline() -> Iterator[None]:
    """What the data package predicts is taken however old the package is."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


@dataclass(frozen=True, slots=True)
class Visits:
    """The best moment of each object tonight, shape (n,) each; NaN where it is never up."""

    mjd_utc: Floats
    airmass: Floats
    moon_deg: Floats
    hours_up: Floats

    @property
    def is_up(self) -> npt.NDArray[np.bool_]:
        """Whether it can be observed at all."""
        return np.isfinite(self.airmass)


@dataclass(frozen=True, slots=True)
class Night:
    """Astronomical night at a site."""

    begin_mjd_utc: float
    end_mjd_utc: float


def night_at(facility: Facility, evening_mjd: int) -> Night | None:
    """From evening to morning twilight (Sun 18 degrees down); None if it does not get dark.

    ``evening_mjd`` is the modified Julian date at local noon before the night.
    """
    with _offline():
        observer = Observer(_location(facility), name=facility.name)
        noon = Time(evening_mjd + 0.5 - facility.longitude_deg / 360.0, format="mjd", scale="utc")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dusk = observer.twilight_evening_astronomical(noon, which="next")
            dawn = observer.twilight_morning_astronomical(noon, which="next")
    begin, end = (float(np.ma.filled(one.mjd, np.nan)) for one in (dusk, dawn))
    if not (np.isfinite(begin) and np.isfinite(end)) or end <= begin or begin > noon.mjd + 1.0:
        return None
    return Night(begin, end)


def visits(facility: Facility, night: Night, ra_deg: Floats, dec_deg: Floats) -> Visits:
    """When to visit each object, positions ICRS, degrees, shape (n,)."""
    n = len(ra_deg)
    span = night.end_mjd_utc - night.begin_mjd_utc
    steps = max(int(np.ceil(span * 1440.0 / STEP_MINUTES)), 2)
    mjd = np.linspace(night.begin_mjd_utc, night.end_mjd_utc, steps)
    if n == 0:
        empty = np.zeros(0)
        return Visits(empty, empty, empty, empty)
    with _offline():
        location = _location(facility)
        time = Time(mjd, format="mjd", scale="utc")
        frame = AltAz(obstime=time[:, None], location=location)
        there = SkyCoord(ra_deg * u.deg, dec_deg * u.deg)
        altitude = there[None, :].transform_to(frame).alt.rad
        middle = Time(mjd[steps // 2], format="mjd", scale="utc")
        moon = get_body("moon", middle, location)
        illumination = float(Observer(location).moon_illumination(middle))
        place = SkyCoord(moon.ra.deg * u.deg, moon.dec.deg * u.deg)
        moon_deg = there.separation(place).deg
    # Pickering 2002: good down to the horizon.
    down = np.maximum(np.degrees(altitude), 1.0)
    airmass = 1.0 / np.sin(np.radians(down + 244.0 / (165.0 + 47.0 * down**1.1)))
    can = (altitude > 0.0) & (airmass <= facility.greatest_airmass)
    if illumination > BRIGHT_MOON:
        can &= (moon_deg >= facility.least_moon_deg)[None, :]
    airmass = np.where(can, airmass, np.inf)
    best = airmass.argmin(axis=0)
    least = airmass[best, np.arange(n)]
    never = ~np.isfinite(least)
    return Visits(
        mjd_utc=np.where(never, np.nan, mjd[best]),
        airmass=np.where(never, np.nan, np.maximum(least, 1.0)),
        moon_deg=np.asarray(moon_deg),
        hours_up=can.mean(axis=0) * span * 24.0,
    )


def _location(facility: Facility) -> EarthLocation:
    return EarthLocation.from_geodetic(
        facility.longitude_deg * u.deg, facility.latitude_deg * u.deg, facility.altitude_m * u.m
    )
