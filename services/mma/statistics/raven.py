"""Event against event: coincidence windows and joint false alarm rates as RAVEN has them.

Piotrzkowski et al. 2022 (arXiv 2111.12814); ligo-raven.readthedocs.io/en/latest/joint_far.html.
RAVEN's year has 365 days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS_PER_YEAR = 365.0 * 86_400.0


@dataclass(frozen=True, slots=True)
class CoincidenceWindow:
    """When the second event may come, seconds after the first (a gravitational wave)."""

    before_s: float
    """Negative: the second came first."""
    after_s: float
    rate_per_year: float
    """Of the second kind."""

    @property
    def length_s(self) -> float:
        """Length of the window, seconds."""
        return self.after_s - self.before_s


# gwcelery 3.0.0, conf/__init__.py: windows of a merger, and of an unmodelled burst, by what else.
WINDOWS: dict[tuple[str, str], CoincidenceWindow] = {
    ("merger", "grb"): CoincidenceWindow(-1.0, 5.0, 325.0),
    ("merger", "sub_fermi"): CoincidenceWindow(-1.0, 11.0, 390.0),
    ("merger", "sub_swift"): CoincidenceWindow(-10.0, 20.0, 390.0),
    ("merger", "frb"): CoincidenceWindow(-2.0, 10.0, 485.0),
    ("merger", "neutrino"): CoincidenceWindow(-10.0, 10.0, 15.0),
    ("burst", "grb"): CoincidenceWindow(-60.0, 600.0, 325.0),
    ("burst", "frb"): CoincidenceWindow(-120.0, 600.0, 485.0),
    ("burst", "neutrino"): CoincidenceWindow(-500.0, 500.0, 15.0),
    ("burst", "supernova"): CoincidenceWindow(-10.0, 10.0, 1.0),
    ("merger", "supernova"): CoincidenceWindow(-10.0, 10.0, 1.0),
    ("grb", "neutrino"): CoincidenceWindow(-1000.0, 1000.0, 15.0),
}
"""The last is not RAVEN's: IceCube's searches around bursts take 1000 s."""


def untargeted_far_hz(
    far_hz: float, rate_per_year: float, window_s: float, overlap: float | None = None
) -> float:
    """Joint FAR of an event with its own FAR and one of a kind that is real: FAR R dt / I.

    Parameters
    ----------
    far_hz
        False alarm rate of the first, Hz.
    rate_per_year
        Of the second kind.
    window_s
        Length of the coincidence window, seconds.
    overlap
        Spatial overlap integral; None for coincidence in time alone. Zero gives infinity.
    """
    temporal = far_hz * rate_per_year / SECONDS_PER_YEAR * window_s
    if overlap is None:
        return temporal
    return temporal / overlap if overlap > 0 else math.inf


def targeted_far_hz(z_hz: float, z_max_hz: float, overlap: float | None = None) -> float:
    """Joint FAR of two sub-threshold candidates, Z (1 + ln(Z_max / Z)) / I, Z = FAR1 FAR2 dt.

    Raises
    ------
    ValueError
        If Z is not between 0 and Z_max.
    """
    if not 0 < z_hz <= z_max_hz:
        raise ValueError(f"Z {z_hz} is not in (0, Z_max {z_max_hz}]")
    far_hz = z_hz * (1.0 + math.log(z_max_hz / z_hz))
    if overlap is None:
        return far_hz
    return far_hz / overlap if overlap > 0 else math.inf
