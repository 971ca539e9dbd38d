"""A made-up season for those who have no data at hand: three kinds of supernova, four bands.

Shapes are Bazin's (Bazin et al. 2009, A&A 499, 653): a rise and a fall for each kind and band, with
a plateau for type II and a second maximum for Ia in i and z. It shows how the loop works, and says
nothing about how well anything classifies the sky.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.classify.learning.causal import season_of
from services.classify.learning.nightly.source import SimulatedNights
from services.classify.learning.streams.snpcc import CLASSES
from services.classify.training.datasets.base import (
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.photometry import AB_ZERO_POINT_NJY

FIRST_MJD = 61_000.0
OBJECTS_A_NIGHT = 90
LABEL_DELAY_DAYS = 2.0
"""Far sooner than spectra come: a dozen nights shall show the whole loop."""
_FOLLOWED_DAYS = 25.0
_NOISE_NJY = 700.0
"""Of a visit, one sigma: S/N 5 at magnitude 22.5."""
_RISE_FALL_DAYS = {
    "SN Ia": ((3.0, 11.0), (3.5, 17.0), (3.5, 20.0), (3.5, 24.0)),
    "SN II": ((2.0, 22.0), (2.5, 45.0), (2.5, 60.0), (2.5, 70.0)),
    "SN Ibc": ((3.5, 10.0), (5.0, 13.0), (5.5, 16.0), (6.0, 18.0)),
}
"""In g, r, i, z."""
_COLOUR_MAG = {
    "SN Ia": (0.0, 0.0, 0.3, 0.4),
    "SN II": (0.0, 0.1, 0.15, 0.2),
    "SN Ibc": (0.7, 0.0, -0.05, -0.1),
}
"""How much fainter than the brightest band at maximum."""
Floats = npt.NDArray[np.float64]


def made_up_nights(nights: int, seed: int = 0) -> SimulatedNights:
    """So many nights of alerts, half of the objects with a spectrum days later.

    Parameters
    ----------
    nights
        From MJD ``FIRST_MJD`` on.
    seed
        Other objects.
    """
    rng = np.random.default_rng([seed, 5])
    objects = OBJECTS_A_NIGHT * nights
    kind = rng.choice(len(CLASSES), objects, p=(0.5, 0.35, 0.15))
    start = FIRST_MJD + rng.uniform(-2.0, nights, objects)
    points = [
        _visits(rng, k, CLASSES[kind[k]], start[k], FIRST_MJD + nights) for k in range(objects)
    ]
    owner, mjd, band, flux = (np.concatenate(one) for one in zip(*points, strict=True))
    columns = {
        "mjd_tai": mjd, "flux_njy": flux, "flux_err_njy": np.full(len(flux), _NOISE_NJY),
        "band": band,
    }  # fmt: skip
    keys, curves = grouped(owner.astype(np.int64), columns)
    class_name = np.array(CLASSES)[kind[keys]]
    names = np.array([f"made-up-{k:05d}" for k in keys.tolist()])
    truth = Truth(names, class_name, class_name == "SN Ia", np.full(len(keys), np.nan))
    dataset = LabelledLightCurves("made up", curves, truth, Surroundings.unknown(len(keys)))
    return SimulatedNights(
        season_of(dataset), CLASSES, share=0.5, label_delay_days=LABEL_DELAY_DAYS
    )


def _visits(
    rng: np.random.Generator, number: int, kind: str, start: float, end: float
) -> tuple[Floats, ...]:
    """Number of the object, time, band and flux of every visit, two bands a night."""
    nights = np.arange(np.floor(start) - 2.0, min(start + _FOLLOWED_DAYS, end))
    nights = nights[nights >= FIRST_MJD]
    # g and r one night, i and z the next.
    mjd = (nights[:, None] + np.sort(rng.uniform(0.15, 0.4, (len(nights), 2)), axis=1)).ravel()
    band = (2.0 * (nights % 2.0)[:, None] + np.array([0.0, 1.0])).ravel()
    shape = np.zeros(len(mjd))
    stretch = rng.lognormal(0.0, 0.12)
    for k, ((rise, fall), fainter) in enumerate(
        zip(_RISE_FALL_DAYS[kind], _COLOUR_MAG[kind], strict=True)
    ):
        here = band == k
        t = (mjd[here] - start - 3.0 * rise) / stretch
        light = np.exp(-t / fall) / (1.0 + np.exp(-np.clip(t / rise, -50.0, 50.0)))
        if kind == "SN Ia" and k >= 2:
            light += 0.35 * np.exp(-0.5 * ((t - 24.0) / 6.0) ** 2)
        shape[here] = light * 10.0 ** (-0.4 * (fainter + rng.normal(0.0, 0.1)))
    peak_mag = np.clip(rng.normal(20.3, 0.8), 17.0, 22.0)
    peak_njy = 10.0 ** (0.4 * (AB_ZERO_POINT_NJY - peak_mag)) / 0.8
    flux = peak_njy * shape + rng.normal(0.0, _NOISE_NJY, len(mjd))
    return np.full(len(mjd), float(number)), mjd, band + 1.0, flux
