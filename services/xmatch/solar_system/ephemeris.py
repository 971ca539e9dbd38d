"""A catalog that moves: all bodies of an orbit file, searched at the time of each alert.

Every few hours of alert time the directions of all bodies are computed once, from the centre of
the Earth, and sorted like a catalog, with the way each goes in half that time as its reach. The
few bodies near an alert are then placed exactly: at its time, from its telescope.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from services.xmatch.solar_system.kepler import separations, survey_sky
from services.xmatch.solar_system.observers import (
    EARTH_RADIUS_AU,
    TT_MINUS_TAI_DAYS,
    earth_at,
    observers_at,
)
from services.xmatch.solar_system.orbits import Orbits
from shared.sky.cone_search import Queries, SortedCatalog, cone_search
from shared.sky.separation import ARCSEC_PER_RADIAN
from shared.sky.sorted_catalog import sort_catalog

log = structlog.get_logger()

SLOT_DAYS = 1.0 / 6.0
"""How long one sorting of the sky serves."""
SLOTS_KEPT = 2
MOST_DAYS_FROM_EPOCH = 100.0
"""Two-body motion is trusted so long: the Minor Planet Center sets new epochs every 200 days."""
DRIFT_ARCSEC_PER_DAY2 = 0.0025
"""How fast the planets pull a body from its two-body path: measured on 16 large asteroids, 2.2
arcsec in 30 days, 9.4 in 60 and 24 in 100 at most (docs/context.md)."""
CAREFUL = 1.2
"""Reaches are larger than speed times time by this, for motion that is not quite even."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NearestBodies:
    """The nearest body of each alert, shape (n,)."""

    orbits: Orbits
    here: npt.NDArray[np.bool_]
    body: npt.NDArray[np.int64]
    """Row in ``orbits`` where ``here``."""
    separation_arcsec: Floats

    def names(self) -> pa.StringArray:
        """Names of the bodies, null where there is none."""
        return self.orbits.names.take(pa.array(self.body, mask=~self.here))

    def separations(self) -> pa.FloatArray:
        """Separations in arcseconds as float32, null where there is none."""
        return pa.array(self.separation_arcsec.astype(np.float32), mask=~self.here)


@dataclass(frozen=True, slots=True)
class _Slot:
    """The sky of one stretch of time."""

    positions: SortedCatalog
    body: npt.NDArray[np.int64]


@dataclass(slots=True)
class Ephemeris:
    """Known bodies, by their orbits."""

    orbits: Orbits
    radius_arcsec: float
    """How far from its predicted place a body is still the cause of an alert, at its epoch."""
    faintest_magnitude: float
    """Bodies fainter than this (without their phase) are left out."""
    _slots: OrderedDict[int, _Slot | None] = field(default_factory=OrderedDict)

    def nearest(self, queries: Queries, mjd_tai: Floats, survey: str) -> NearestBodies:
        """The nearest body of each alert at its time, if any is near enough to be its cause.

        Parameters
        ----------
        queries
            Where the alerts are.
        mjd_tai
            When they were observed, shape (n,).
        survey
            Registry name of the survey, which says where its telescope stands.
        """
        n = len(mjd_tai)
        body, best = np.full(n, -1, np.int64), np.full(n, np.inf)
        number = np.floor(mjd_tai / SLOT_DAYS)
        for slot_number in np.unique(number[np.isfinite(number)]).tolist():
            slot = self._slot(int(slot_number))
            if slot is None:
                continue
            at = np.flatnonzero(number == slot_number)
            here = Queries(queries.cells29[at], queries.vectors[at], queries.epoch_year[at])
            found = cone_search(slot.positions, here)
            if not len(found.query):
                continue
            bodies = slot.body[found.row]
            apart = ARCSEC_PER_RADIAN * separations(
                self._arrays(),
                bodies,
                found.query,
                mjd_tai[at] + TT_MINUS_TAI_DAYS,
                observers_at(survey, mjd_tai[at]),
                here.vectors,
            )
            close = apart <= self._tolerance_arcsec(bodies, mjd_tai[at[found.query]])
            alert, apart, bodies = at[found.query[close]], apart[close], bodies[close]
            farthest_first = np.argsort(-apart, kind="stable")
            body[alert[farthest_first]] = bodies[farthest_first]
            best[alert[farthest_first]] = apart[farthest_first]
        return NearestBodies(self.orbits, np.isfinite(best), body, best)

    def _tolerance_arcsec(self, bodies: npt.NDArray[np.int64], mjd: Floats | float) -> Floats:
        """How far bodies may be from their predicted places at a date."""
        age = mjd - self.orbits.epoch_mjd_tt[bodies]
        return np.asarray(self.radius_arcsec + DRIFT_ARCSEC_PER_DAY2 * age**2, dtype=np.float64)

    def _arrays(self) -> tuple[Floats, ...]:
        o = self.orbits
        return (
            o.epoch_mjd_tt,
            o.mean_anomaly_rad,
            o.daily_motion_rad,
            o.eccentricity,
            o.perihelion_vector_au,
            o.side_vector_au,
        )

    def _slot(self, number: int) -> _Slot | None:
        """The sky of a stretch of time, made if it is not kept; None without a usable orbit."""
        if number in self._slots:
            self._slots.move_to_end(number)
            return self._slots[number]
        while len(self._slots) >= SLOTS_KEPT:
            self._slots.popitem(last=False)
        slot = self._slots[number] = self._made((number + 0.5) * SLOT_DAYS + TT_MINUS_TAI_DAYS)
        return slot

    def _made(self, mjd_tt: float) -> _Slot | None:
        n = len(self.orbits)
        if np.abs(mjd_tt - self.orbits.epoch_mjd_tt).min() > MOST_DAYS_FROM_EPOCH:
            return None
        vectors, speed, distance = np.empty((n, 3)), np.empty(n), np.empty(n)
        earth, earth_velocity = earth_at(mjd_tt)
        old = survey_sky(
            self._arrays(),
            np.nan_to_num(self.orbits.magnitude, nan=-99.0),
            mjd_tt,
            earth[0],
            earth_velocity[0],
            MOST_DAYS_FROM_EPOCH,
            self.faintest_magnitude,
            vectors,
            speed,
            distance,
        )
        body = np.flatnonzero(np.isfinite(distance))
        log.info("sky_of_bodies_made", mjd_tt=round(mjd_tt, 2), bodies=len(body), too_old=old)
        if not len(body):
            return None
        x, y, z = vectors[body].T
        # The telescope is up to an Earth radius from the centre, which the reach must cover.
        way = CAREFUL * (0.5 * SLOT_DAYS * speed[body] + EARTH_RADIUS_AU / distance[body])
        reach = np.minimum(way, np.pi) * ARCSEC_PER_RADIAN + self._tolerance_arcsec(body, mjd_tt)
        ra_deg = np.degrees(np.arctan2(y, x)) % 360.0
        positions, order = sort_catalog(ra_deg, np.degrees(np.arctan2(z, np.hypot(x, y))), reach)
        return _Slot(positions, body[order])
