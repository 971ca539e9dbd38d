"""How good photometric redshifts are: the point, and the whole distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.xmatch.photoz.forest import LEVELS, MEDIAN

OUTLIER = 0.15
"""|z_phot - z_spec| / (1 + z_spec) beyond which a redshift is an outlier."""
PIT_BINS = 10

Floats = npt.NDArray[np.float64]


def pit_of(quantiles: Floats, redshift: Floats, levels: Floats = LEVELS) -> Floats:
    """Probability integral transform: level at which each true redshift lies, shape (n,).

    Uniform in [0, 1] if the distributions are right. Beyond the outermost quantiles it is half
    the outermost level.
    """
    pit = np.array([np.interp(z, q, levels, 0.5 * levels[0], 0.5 + 0.5 * levels[-1])
                    for q, z in zip(quantiles, redshift, strict=True)])  # fmt: skip
    return np.asarray(pit, dtype=np.float64)


def crps_of(quantiles: Floats, redshift: Floats, levels: Floats = LEVELS) -> Floats:
    """Continuous ranked probability score of each galaxy, in redshift, shape (n,).

    Twice the pinball loss integrated over the level (Gneiting & Raftery 2007, JASA 102, 359),
    by the trapezoidal rule; the tails beyond the outermost levels count as those.
    """
    miss = redshift[:, None] - quantiles
    pinball = np.where(miss >= 0.0, levels * miss, (levels - 1.0) * miss)
    edges = np.concatenate([[0.0], 0.5 * (levels[1:] + levels[:-1]), [1.0]])
    return np.asarray(2.0 * pinball @ np.diff(edges), dtype=np.float64)


def scores_of(quantiles: Floats, redshift: Floats) -> dict[str, Any]:
    """All scores of held-out galaxies.

    Parameters
    ----------
    quantiles
        At ``LEVELS``, shape (n, levels).
    redshift
        Spectroscopic, shape (n,).

    Returns
    -------
    ``bias`` (median of dz = (z_phot - z_spec) / (1 + z_spec)), ``nmad`` (1.4826 times the median
    of |dz - bias|), ``outlier_fraction`` (|dz| > 0.15), ``pit_histogram`` (ten bins, 0.1 each if
    right), ``pit_ks`` (largest distance of the PIT from uniform), ``coverage_68`` and
    ``coverage_90``, ``crps`` (mean, in redshift) and ``crps_point`` (mean |z_phot - z_spec|:
    what the CRPS would be without any distribution).
    """
    point = quantiles[:, MEDIAN]
    dz = (point - redshift) / (1.0 + redshift)
    pit = pit_of(quantiles, redshift)
    ordered = np.sort(pit)
    steps = np.arange(len(pit)) / len(pit)
    distance = np.maximum(np.abs(ordered - steps), np.abs(ordered - steps - 1.0 / len(pit)))
    bias = float(np.median(dz))
    result: dict[str, Any] = {
        "galaxies": len(redshift),
        "bias": bias,
        "nmad": float(1.4826 * np.median(np.abs(dz - bias))),
        "outlier_fraction": float(np.mean(np.abs(dz) > OUTLIER)),
        "pit_ks": float(distance.max()),
        "coverage_68": float(np.mean((pit > 0.16) & (pit < 0.84))),
        "coverage_90": float(np.mean((pit > 0.05) & (pit < 0.95))),
        "crps": float(crps_of(quantiles, redshift).mean()),
        "crps_point": float(np.abs(point - redshift).mean()),
    }
    histogram = np.histogram(pit, PIT_BINS, (0.0, 1.0))[0] / len(pit)
    rounded = {k: round(v, 5) if isinstance(v, float) else v for k, v in result.items()}
    return {**rounded, "pit_histogram": [round(float(part), 4) for part in histogram]}
