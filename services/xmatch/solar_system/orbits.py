"""Osculating heliocentric orbits as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

GAUSS = 0.01720209895
"""Gauss's constant: AU^1.5 per day for a massless body."""
OBLIQUITY_RAD = np.radians(84_381.448 / 3_600.0)
"""Of the ecliptic J2000 to which the Minor Planet Center refers its elements (IAU 1976)."""


@dataclass(frozen=True, slots=True)
class Orbits:
    """Elliptic orbits, shape (n,); see ``orbits_of``."""

    names: pa.StringArray
    epoch_mjd_tt: Floats
    mean_anomaly_rad: Floats
    daily_motion_rad: Floats
    eccentricity: Floats
    perihelion_vector_au: Floats
    """From the Sun along the major axis to the length of the semi-major axis, ICRS, (n, 3)."""
    side_vector_au: Floats
    """Along the motion at perihelion, to the length of the semi-minor axis, ICRS, (n, 3)."""
    magnitude: Floats
    """Absolute magnitude H; NaN where unknown."""

    def __len__(self) -> int:
        """How many orbits there are."""
        return len(self.epoch_mjd_tt)


def orbits_of(
    names: pa.StringArray,
    epoch_mjd_tt: Floats,
    mean_anomaly_deg: Floats,
    perihelion_deg: Floats,
    node_deg: Floats,
    inclination_deg: Floats,
    eccentricity: Floats,
    semi_major_au: Floats,
    magnitude: Floats,
) -> Orbits:
    """Orbits from osculating elements on the ecliptic and equinox J2000, each shape (n,)."""
    w, node, i = (np.radians(x) for x in (perihelion_deg, node_deg, inclination_deg))
    cos_w, sin_w, cos_n, sin_n = np.cos(w), np.sin(w), np.cos(node), np.sin(node)
    cos_i, sin_i = np.cos(i), np.sin(i)
    along = np.stack(
        [
            cos_w * cos_n - sin_w * sin_n * cos_i,
            cos_w * sin_n + sin_w * cos_n * cos_i,
            sin_w * sin_i,
        ]
    )
    aside = np.stack(
        [
            -sin_w * cos_n - cos_w * sin_n * cos_i,
            -sin_w * sin_n + cos_w * cos_n * cos_i,
            cos_w * sin_i,
        ]
    )
    semi_minor_au = semi_major_au * np.sqrt(1.0 - eccentricity**2)
    return Orbits(
        names=names,
        epoch_mjd_tt=epoch_mjd_tt,
        mean_anomaly_rad=np.radians(mean_anomaly_deg),
        daily_motion_rad=GAUSS * semi_major_au**-1.5,
        eccentricity=eccentricity,
        perihelion_vector_au=_equatorial(along * semi_major_au),
        side_vector_au=_equatorial(aside * semi_minor_au),
        magnitude=magnitude,
    )


def _equatorial(ecliptic: Floats) -> Floats:
    """Ecliptic vectors, shape (3, n), on equatorial axes, shape (n, 3)."""
    cos, sin = np.cos(OBLIQUITY_RAD), np.sin(OBLIQUITY_RAD)
    x, y, z = ecliptic
    return np.ascontiguousarray(np.stack([x, cos * y - sin * z, sin * y + cos * z], axis=1))
