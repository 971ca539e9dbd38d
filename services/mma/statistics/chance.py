"""From a credible level to a probability by chance, a false alarm rate and a tier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
HZ_PER_YEAR = 1.0 / (365.25 * 86_400.0)

NOTICE_RATES_PER_YEAR: dict[str, float] = {
    "fermi_gbm": 235.0,
    "swift": 80.0,
    "svom": 190.0,
    "einstein_probe": 100.0,
    "icecube": 34.0,
    "km3net": 12.0,
    "chime_frb": 485.0,
}
"""Notices of real events a year, from the missions' pages at gcn.nasa.gov/missions: GBM 235 GRBs,
BAT 80, ECLAIRs 60 and GRM 130, EP 100, IceCube gold 10, bronze 16 and cascades 8, KM3NeT 12 at
most, CHIME 485."""
MERGER_RATES_PER_YEAR = {"BNS": 5.0, "NSBH": 11.0, "BBH": 520.0}
"""Detections a year expected of LVK in O5a (same source), by class."""
TRIALS = 30
"""Independent searches: one for each notice type. An event counts once, however many versions."""

TIERS = ("gold", "silver", "bronze", "unranked", "vetoed")


def event_rate_hz(
    notice_type: str, classification: dict[str, float], far_hz: float | None
) -> float:
    """How often an event like this comes, Hz: the larger of its own FAR and the real rate.

    A confident event has a tiny false alarm rate of its own, but its kind is still detected
    every few days, and any of those could have met the transient: taking the tiny one made a
    joint FAR of one in 1,000 years out of one in 6 (S241125n, GCN 38356). NaN if neither is known.
    """
    rate = NOTICE_RATES_PER_YEAR.get(notice_type)
    if notice_type == "lvk":
        known = {k: v for k, v in classification.items() if k in MERGER_RATES_PER_YEAR}
        likely = max(known, key=lambda name: known[name], default="BBH")
        rate = MERGER_RATES_PER_YEAR[likely]
    rates = [r for r in (far_hz, None if rate is None else rate * HZ_PER_YEAR) if r is not None]
    return max(rates, default=float("nan"))


def p_local(mu: FloatArray) -> FloatArray:
    """Probability of one or more by chance, 1 - exp(-mu).

    Uniform in [0, 1] for the most credible of an event's unrelated candidates.
    """
    return np.asarray(-np.expm1(-mu), dtype=np.float64)


def p_global(p: FloatArray, trials: int = TRIALS) -> FloatArray:
    """Probability of one such in any of ``trials`` searches, 1 - (1 - p)^N."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(trials * np.log1p(-p)), dtype=np.float64)


def tiers(
    p: FloatArray,
    p_any: FloatArray,
    has_prior_activity: npt.NDArray[np.bool_],
    is_fast_or_sharp: npt.NDArray[np.bool_],
) -> list[str]:
    """Tier of each association.

    vetoed: it shone before the event. gold: p_global < 1e-3, and fading fast or a place sharper
    than an arcminute. silver: p_local < 1e-2. bronze: p_local < 0.5. unranked: the rest, and all
    while the density of new transients has not been measured.
    """
    named = np.full(len(p), "unranked", dtype=object)
    with np.errstate(invalid="ignore"):
        named[p < 0.5] = "bronze"
        named[p < 1e-2] = "silver"
        named[(p_any < 1e-3) & is_fast_or_sharp] = "gold"
    named[has_prior_activity] = "vetoed"
    return [str(name) for name in named]
