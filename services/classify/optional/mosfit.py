"""MOSFiT: fits of physical models to whole light curves, as a batch (Guillochon et al. 2018).

For a few selected objects: a fit takes minutes to hours of CPU. ``--model`` is a model that the
package brings (ia, slsn, ic, csm, tde, magnetar ...); the answer is the posterior of its free
parameters. https://doi.org/10.3847/1538-4365/aab761
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.classify.light_curve_file import LightCurveFile
from services.classify.optional.base import (
    PARAMETER_COLUMNS,
    ExtraRefusedError,
    Ground,
    Job,
    Request,
    detections,
)

LEAST_SNR = 3.0
_LEAST_POINTS = 10
_MOST_POINTS = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_UNITS = {
    "texplosion": "day",
    "mejecta": "solar mass",
    "mcsm": "solar mass",
    "vejecta": "km/s",
    "temperature": "K",
    "kappa": "cm2/g",
    "kappagamma": "cm2/g",
    "nhhost": "1/cm2",
    "Pspin": "ms",
    "Bfield": "1e14 G",
    "Mns": "solar mass",
    "thetaPB": "rad",
    "cutoff_wavelength": "Angstrom",
    "line_wavelength": "Angstrom",
    "line_width": "Angstrom",
    "line_time": "day",
    "line_duration": "day",
    "variance": "mag",
}


class Mosfit:
    """Posterior of the free parameters of one of MOSFiT's models."""

    name = "mosfit"
    distribution = "mosfit"
    modules = ("mosfit",)
    install = (
        "python3.11 -m venv fits && fits/bin/pip install mosfit, then --python fits/bin/python"
    )
    most_objects = 20

    def job(self, request: Request, folder: Path) -> Job:
        """Name the model and how long to fit."""
        del folder
        if request.model is None or not _NAME.fullmatch(request.model):
            raise ExtraRefusedError(
                "--model is the name of one of MOSFiT's models: ia, ic, slsn, csm, tde, ..."
            )
        if not (1 <= request.iterations <= 100_000 and 4 <= request.walkers <= 1_000):
            raise ExtraRefusedError("--iterations goes from 1 to 100000, --walkers from 4 to 1000")
        asked = {
            "model": request.model,
            "iterations": request.iterations,
            "walkers": request.walkers,
            "least_snr": LEAST_SNR,
            "most_points": _MOST_POINTS,
        }
        return Job(PARAMETER_COLUMNS, request.model, asked, _UNITS)

    def grounds(self, curves: LightCurveFile, job: Job) -> Sequence[Ground]:
        """No redshift, without which there is no luminosity, or too few points of S/N 3."""
        del job
        return (
            ("no_redshift", ~(np.isfinite(curves.redshift) & (curves.redshift > 0.0))),
            ("too_few_points", detections(curves, LEAST_SNR) < _LEAST_POINTS),
        )
