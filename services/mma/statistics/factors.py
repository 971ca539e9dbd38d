"""Bayes factors of an association, one by one: place, time, distance, fading.

Each compares "the event made this transient" with "an unrelated transient". They are reported
apart and as a sum of logarithms; a factor that cannot be known is NaN and counts as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LN_IMPOSSIBLE = -30.0
"""In place of the logarithm of zero, which JSON cannot hold."""
FARTHEST_HOST_MPC = 1000.0
"""Hosts of unrelated transients are taken as even in volume up to here (redshift 0.2)."""
FAST_MAG_PER_DAY = 0.3
"""ZTFReST's threshold for fast fading (Andreoni et al. 2021, ApJ 918, 63)."""
FAST_SHARE = {"gravitational_wave": 0.8, "gamma_ray": 0.8, "x_ray": 0.8}
"""Share of counterparts that change faster than that in the days after the event: AT2017gfo
and afterglows (1.09 mag/d over age in days for t^-1) do, their supernovae do not."""


@dataclass(frozen=True, slots=True)
class Delay:
    """When the first light comes after the event: equal parts of the components."""

    uniform_days: tuple[tuple[float, float], ...] = ()
    log_uniform_days: tuple[tuple[float, float], ...] = ()

    def cdf(self, delay_days: FloatArray) -> FloatArray:
        """Probability that the first light has come by then, shape as given."""
        parts = [np.clip((delay_days - a) / (b - a), 0, 1) for a, b in self.uniform_days]
        for a, b in self.log_uniform_days:
            clipped = np.clip(delay_days, a, b)
            parts.append(np.log(clipped / a) / np.log(b / a))
        return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


DELAYS: dict[str, Delay] = {
    "gravitational_wave": Delay(uniform_days=((0.0, 3.0), (-1.0, 14.0))),
    "gamma_ray": Delay(uniform_days=((0.0, 10.0),), log_uniform_days=((1e-3, 3.0),)),
    "x_ray": Delay(uniform_days=((-1.0, 10.0),), log_uniform_days=((1e-3, 3.0),)),
    "neutrino": Delay(uniform_days=((-1.0, 30.0),)),
    "radio": Delay(uniform_days=((-1.0, 10.0),)),
    "optical": Delay(uniform_days=((-30.0, 30.0),)),
}
"""By messenger. A kilonova is seen within 3 d, an afterglow log-uniformly within 3 d, a
supernova within the window; where two are possible neither is preferred."""


def ln_spatial(density_per_sr: FloatArray) -> FloatArray:
    """Ln of 4 pi p(x): the localisation against an even sky (Ashton et al. 2018, eq. 8)."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(4.0 * np.pi * density_per_sr), LN_IMPOSSIBLE)


def ln_temporal(
    delay: Delay,
    event_mjd_tai: FloatArray,
    last_non_detection_mjd_tai: FloatArray,
    first_detection_mjd_tai: FloatArray,
    window_start_mjd_tai: FloatArray,
    window_end_mjd_tai: FloatArray,
) -> FloatArray:
    """Ln of T_bg times the mean probability density of first light in [t_u, t_d].

    The first light came between the last non-detection t_u and the first detection t_d. Where
    no non-detection is known, t_u is the start of the window: that says least.

    Returns
    -------
    Shape (n,), at least ``LN_IMPOSSIBLE``.
    """
    seen = first_detection_mjd_tai
    unseen = np.where(
        np.isnan(last_non_detection_mjd_tai), window_start_mjd_tai, last_non_detection_mjd_tai
    )
    # A quarter of an hour is the shortest gap that exposures resolve.
    unseen = np.minimum(unseen, seen - 0.01)
    held = delay.cdf(seen - event_mjd_tai) - delay.cdf(unseen - event_mjd_tai)
    span = window_end_mjd_tai - window_start_mjd_tai
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(held * span / (seen - unseen)), LN_IMPOSSIBLE)


def ln_distance(
    mu_mpc: FloatArray,
    sigma_mpc: FloatArray,
    norm_per_mpc2: FloatArray,
    distance_mpc: FloatArray,
    distance_err_mpc: FloatArray,
) -> FloatArray:
    """Ln of the overlap of the event's distance there with the host's, against any host's.

    Integral of p_GW(r) p_host(r) over that of p_pop(r) p_host(r), with p_GW = norm N(mu, sigma)
    r^2 along the line of sight, a Gaussian host and a population even in volume. Closed form: the
    product of two Gaussians is one, whose second moment is known; r below 0 is neglected.

    Returns
    -------
    Shape (n,); NaN where either distance is unknown.
    """
    variance = sigma_mpc**2 + distance_err_mpc**2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (mu_mpc * distance_err_mpc**2 + distance_mpc * sigma_mpc**2) / variance
        narrow = sigma_mpc**2 * distance_err_mpc**2 / variance
        ln_product = -0.5 * (mu_mpc - distance_mpc) ** 2 / variance
        ln_product -= 0.5 * np.log(2.0 * np.pi * variance)
        ln_event = np.log(norm_per_mpc2 * (mean**2 + narrow)) + ln_product
        ln_any = np.log(3.0 * (distance_mpc**2 + distance_err_mpc**2) / FARTHEST_HOST_MPC**3)
    is_known = (norm_per_mpc2 > 0) & np.isfinite(distance_mpc) & (distance_err_mpc > 0)
    return np.where(is_known, np.maximum(ln_event - ln_any, LN_IMPOSSIBLE), np.nan)


def ln_class(messenger: str, rate_mag_per_day: FloatArray, fast_background: float) -> FloatArray:
    """Ln of the share of counterparts over that of all new transients which change as fast.

    Parameters
    ----------
    messenger
        Of the event; those without an entry in ``FAST_SHARE`` give NaN.
    rate_mag_per_day
        Change of magnitude per day, shape (n,); NaN where it is not known.
    fast_background
        Share of the broker's own new transients above ``FAST_MAG_PER_DAY``, as measured; NaN
        where too few have been.
    """
    share = FAST_SHARE.get(messenger)
    if share is None or not 0.0 < fast_background < 1.0:
        return np.full(len(rate_mag_per_day), np.nan)
    is_fast = np.abs(rate_mag_per_day) > FAST_MAG_PER_DAY
    ln_b = np.where(
        is_fast, np.log(share / fast_background), np.log((1 - share) / (1 - fast_background))
    )
    return np.where(np.isnan(rate_mag_per_day), np.nan, ln_b)


def ln_total(*factors: FloatArray) -> FloatArray:
    """Sum of the factors that are known, shape (n,)."""
    return np.asarray(np.nansum(np.stack(factors), axis=0), dtype=np.float64)


def ln_if_astrophysical(ln_bayes: FloatArray, p_astro: float | None) -> FloatArray:
    """Ln of p B + (1 - p): an event that is noise tells nothing of any transient.

    Shape (n,); NaN where p is not known. The order of an event's candidates stays the same.
    """
    if p_astro is None:
        return np.full(len(ln_bayes), np.nan)
    with np.errstate(divide="ignore"):
        ln_p, ln_noise = np.log([p_astro, 1.0 - p_astro])
    return np.asarray(np.logaddexp(ln_p + ln_bayes, ln_noise), dtype=np.float64)
