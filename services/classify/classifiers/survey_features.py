"""Which features tell surveys apart rather than objects, and are kept from models of the stream.

Fluxes, signal to noise and numbers of points say how deep a survey looked and how often. A model
that must serve ZTF, LSST and a user's file, trained on simulations of LSST and DES, is better
without them: it would learn what the simulation is.
"""

from __future__ import annotations

from services.classify.features import NAMES

_BEGINNINGS = (
    "n_detections",
    "n_nights",
    "n_3sigma_",
    "snr_",
    "flux_max_",
    "whole_n_",
    "whole_snr_",
    "first_night_",
    "peak_log_flux_",
    "mean_snr_",
    "log_mean_square_snr",
    "log_far_mean_square_snr",
    "galactic_",
)

OF_OBJECTS: tuple[str, ...] = tuple(name for name in NAMES if not name.startswith(_BEGINNINGS))
"""Features that mean the same in every survey."""

WITHOUT_PLACE: tuple[str, ...] = tuple(name for name in NAMES if not name.startswith("galactic_"))
"""All but the place on the sky: for models that are trained on real light curves too.

Brightness and depth are worth .01 to .05 of area under ROC on real supernovae; the looks of the
simulated ones are as bright and as deep, so that they say nothing about what is simulated.
"""
