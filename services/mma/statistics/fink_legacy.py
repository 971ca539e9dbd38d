"""The statistic of fink-mm, kept to compare with; it is not a probability of chance.

Published as p_assoc (FusRoman/Fink_MM, fink_mm/utils/grb_prob.py). Three things are wrong with
it: its spatial term is a ratio of counts that exceeds one for circles above 38.6 degrees, the
rate of bursts is scaled by the share of the sky seen in a night, and large means significant.
In their pipeline days are divided by 365.25 twice as well; here once, as their doctests have it.
"""

from __future__ import annotations

import math

ALERTS_PER_NIGHT = 141_994.0
ALERTS_PER_DEG2 = 31.0
ZTF_SKY_FRACTION = 3750.0 * 4.0 / (4.0 * math.pi * (180.0 / math.pi) ** 2)
BURSTS_PER_YEAR = {"fermi_gbm": 250.0, "swift": 100.0, "integral": 60.0}
"""Missions for which the statistic is defined."""


def fink_legacy(bursts_per_year: float, delay_days: float, radius_deg: float) -> float:
    """1 - P(a burst within the delay) x (alerts in the circle / alerts in a night).

    Parameters
    ----------
    bursts_per_year
        Of the instrument, times ``ZTF_SKY_FRACTION``.
    delay_days
        From the burst to the first detection.
    radius_deg
        Error radius as the notice gives it.
    """
    at_least_one = -math.expm1(-bursts_per_year * delay_days / 365.25)
    in_circle = ALERTS_PER_DEG2 * math.pi * radius_deg**2 / ALERTS_PER_NIGHT
    return 1.0 - at_least_one * in_circle
