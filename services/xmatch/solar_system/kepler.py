"""Where bodies are seen: Kepler's equation, light time and the observer, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from services.xmatch.solar_system.orbits import GAUSS

LIGHT_DAYS_PER_AU = 0.005775518331436995
"""499.004783836 s."""
SUN = GAUSS**2


@njit(cache=True, nogil=True)
def eccentric_anomaly(mean: float, eccentricity: float) -> float:
    """Kepler's equation for an ellipse, radians: Newton's steps from Danby's start."""
    turn = 2.0 * math.pi
    m = mean - turn * math.floor(mean / turn + 0.5)
    anomaly = m + math.copysign(0.85 * eccentricity, math.sin(m))
    for _ in range(30):
        error = anomaly - eccentricity * math.sin(anomaly) - m
        step = error / (1.0 - eccentricity * math.cos(anomaly))
        anomaly -= step
        if abs(step) < 1e-13:
            break
    return anomaly


@njit(cache=True, nogil=True)
def _state(orbits: Any, i: int, mjd_tt: float, out: Any) -> None:
    """Heliocentric position (AU) and velocity (AU/day) of one body, into ``out``, shape (6,)."""
    epoch, mean, motion, eccentricity, along, aside = orbits
    e = eccentricity[i]
    anomaly = eccentric_anomaly(mean[i] + motion[i] * (mjd_tt - epoch[i]), e)
    cos, sin = math.cos(anomaly), math.sin(anomaly)
    rate = motion[i] / (1.0 - e * cos)
    for k in range(3):
        out[k] = along[i, k] * (cos - e) + aside[i, k] * sin
        out[3 + k] = rate * (aside[i, k] * cos - along[i, k] * sin)


@njit(cache=True, nogil=True)
def _seen(state: Any, observer: Any, out: Any) -> float:
    """Vector from the observer to where the body was when its light left; its length, AU."""
    x, y, z = state[0] - observer[0], state[1] - observer[1], state[2] - observer[2]
    distance = math.sqrt(x * x + y * y + z * z)
    sun2 = state[0] ** 2 + state[1] ** 2 + state[2] ** 2
    pull = -SUN / (sun2 * math.sqrt(sun2))
    for _ in range(2):
        late = LIGHT_DAYS_PER_AU * distance
        total = 0.0
        for k in range(3):
            # The body's path over minutes is a parabola.
            then = state[k] - late * state[3 + k] + 0.5 * late * late * pull * state[k]
            out[k] = then - observer[k]
            total += out[k] * out[k]
        distance = math.sqrt(total)
    return distance


@njit(cache=True, nogil=True)
def survey_sky(
    orbits: Any,
    magnitude: Any,
    mjd_tt: float,
    earth: Any,
    earth_velocity: Any,
    most_days: float,
    faintest: float,
    vectors: Any,
    speed: Any,
    distances: Any,
) -> int:
    """Directions of all bodies from the centre of the Earth.

    Writes unit vectors (n, 3), apparent speeds (radians a day) and distances (AU); the distance
    is NaN for a body whose elements are older than ``most_days`` or that is fainter than
    ``faintest``. Returns how many bodies are too old.
    """
    state, seen = np.empty(6), np.empty(3)
    old = 0
    for i in range(len(magnitude)):
        distances[i] = np.nan
        if abs(mjd_tt - orbits[0][i]) > most_days:
            old += 1
            continue
        _state(orbits, i, mjd_tt, state)
        distance = _seen(state, earth, seen)
        sun = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
        if magnitude[i] + 5.0 * math.log10(sun * distance) > faintest:
            continue
        radial, total = 0.0, 0.0
        for k in range(3):
            vectors[i, k] = seen[k] / distance
            change = state[3 + k] - earth_velocity[k]
            radial += change * vectors[i, k]
            total += change * change
        speed[i] = math.sqrt(max(total - radial * radial, 0.0)) / distance
        distances[i] = distance
    return old


@njit(cache=True, nogil=True)
def separations(
    orbits: Any, bodies: Any, alerts: Any, mjd_tt: Any, observers: Any, directions: Any
) -> Any:
    """Separation of each pair of body and alert at the alert's time and place, radians."""
    state, seen = np.empty(6), np.empty(3)
    apart = np.empty(len(bodies), np.float64)
    for pair in range(len(bodies)):
        alert = alerts[pair]
        _state(orbits, bodies[pair], mjd_tt[alert], state)
        distance = _seen(state, observers[alert], seen)
        chord2, sum2 = 0.0, 0.0
        for k in range(3):
            direction = seen[k] / distance
            chord2 += (direction - directions[alert, k]) ** 2
            sum2 += (direction + directions[alert, k]) ** 2
        apart[pair] = 2.0 * math.atan2(math.sqrt(chord2), math.sqrt(sum2))
    return apart
