"""Counterparts of an event, planted where and when multi-messenger matching must find them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.simulate import catalogs
from services.simulate.cadence import hours_of, visible_at
from services.simulate.distances import redshift_of_mpc
from services.simulate.models.afterglow import Afterglow
from services.simulate.models.base import Drawn, FloatArray, plain_sources
from services.simulate.models.kilonova import Kilonova
from services.simulate.population import Plant
from services.simulate.regions import SkyEvent
from services.simulate.telescopes import Telescope
from shared.archive.nights import night_date
from shared.light_curves.photometry import flux_njy_of, mjd_utc_of_tai

NIGHTS_TO_TRY = 4
_STEPS_OF_THE_NIGHT = 10
"""A place must be up for so many of the night's 49 steps after the event."""
_DELAY_DAYS = 0.01
_DISTANCE_MPC = {"ztf": (40.0, 90.0), "lsst": (60.0, 150.0)}
"""Near enough to be seen with certainty, which few real mergers are."""
_AFTERGLOW_MAG = 17.3
"""In r, half a day after the event: among the brighter ones."""


def plan_plants(
    telescope: Telescope, event: SkyEvent, seed: int, night_mjd: int | None
) -> tuple[int, list[Plant]]:
    """A night on which the event's region can be seen, and what is planted there.

    Parameters
    ----------
    night_mjd
        The night to use (UTC date of its local midnight), or None for the first that serves.

    Returns
    -------
    The night, a kilonova (in a catalogued galaxy if the region holds one) and an afterglow.

    Raises
    ------
    ValueError
        If the region is not up in any of the nights.
    """
    rng = np.random.default_rng([seed, int(event.mjd_tai * 1e3), 170817])
    event_utc = float(mjd_utc_of_tai(event.mjd_tai))
    first = int(np.floor(event_utc + telescope.longitude_deg / 360.0))
    nights: Sequence[int] = (
        range(first, first + NIGHTS_TO_TRY) if night_mjd is None else (night_mjd,)
    )
    ra, dec = event.region.sample(rng, 400)
    for night in nights:
        up = _is_up_after(telescope, night, event_utc, ra, dec)
        if np.count_nonzero(up) >= 2:
            return night, _plants(telescope, event, night, rng, ra[up], dec[up], event_utc)
    tried = ", ".join(night_date(night - 1) for night in nights)
    raise ValueError(
        f"the region of {event.name} is not up for {telescope.survey} after the event in the "
        f"nights from the evenings of {tried}; take the other survey, or another --night"
    )


def _is_up_after(
    telescope: Telescope, night: int, event_utc: float, ra: FloatArray, dec: FloatArray
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    after = hours_of(telescope, night) > event_utc + _DELAY_DAYS
    steps = (visible_at(telescope, night, ra, dec) & after).sum(axis=1)
    return np.asarray(steps >= _STEPS_OF_THE_NIGHT)


def _plants(
    telescope: Telescope,
    event: SkyEvent,
    night: int,
    rng: np.random.Generator,
    ra: FloatArray,
    dec: FloatArray,
    event_utc: float,
) -> list[Plant]:
    moment = np.array([event.mjd_tai])
    nearest, farthest = _DISTANCE_MPC[telescope.survey]
    redshift = redshift_of_mpc(np.array([rng.uniform(nearest, farthest)]))
    kilonova = plain_sources(rng, ra[:1], dec[:1], redshift=redshift)
    galaxies = catalogs.galaxies()
    near = (galaxies.redshift < redshift_of_mpc(farthest)) & (
        galaxies.redshift > redshift_of_mpc(nearest / 2.0)
    )
    rows = np.flatnonzero(near)
    rows = rows[event.region.contains(galaxies.ra_deg[rows], galaxies.dec_deg[rows])]
    up = _is_up_after(telescope, night, event_utc, galaxies.ra_deg[rows], galaxies.dec_deg[rows])
    rows = rows[up]
    if len(rows):
        row = rng.choice(rows, 1)
        # A scale length from the nucleus along the major axis: inside, and off the glare.
        angle = np.radians(galaxies.angle_deg[row])
        reach = 1.5 * galaxies.radius_arcsec[row]
        east, north = reach * np.sin(angle), reach * np.cos(angle)
        place_dec = galaxies.dec_deg[row] + north / 3600.0
        place_ra = galaxies.ra_deg[row] + east / 3600.0 / np.cos(np.radians(place_dec))
        kilonova = plain_sources(
            rng,
            place_ra % 360.0,
            place_dec,
            redshift=galaxies.redshift[row],
            host_mag=galaxies.mag[row],
            host_east_arcsec=-east,
            host_north_arcsec=-north,
            host_radius_arcsec=galaxies.radius_arcsec[row],
            host_axis_ratio=galaxies.axis_ratio[row],
            host_angle_deg=galaxies.angle_deg[row],
        )
    merger = Kilonova.parameters(rng, moment, kilonova.redshift)
    afterglow = plain_sources(rng, ra[1:2], dec[1:2])
    burst = Afterglow.parameters(rng, moment) | {"flux_half_day": flux_njy_of([_AFTERGLOW_MAG])}
    return [
        Plant(Kilonova(), Drawn(kilonova, merger)),
        Plant(Afterglow(), Drawn(afterglow, burst)),
    ]
