"""Compiles every loop before the first envelope, so that it does not wait for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.classify.classifiers.base import Classifier
from services.classify.classify import classify
from services.classify.light_curve_file import LightCurveFile
from shared.light_curves.bands import DETECTION
from shared.light_curves.ragged import RaggedLightCurves

_POINTS = 24


def warm_up(classifiers: Sequence[Classifier]) -> None:
    """Classify one made-up alert of long ago, as views of Arrow memory like the stream's."""
    for classifier in classifiers:
        classifier.warm_up()
    days = np.arange(_POINTS, dtype=np.float64)
    flux = (1e4 * np.exp(-0.5 * ((days - 8.0) / 4.0) ** 2)).astype(np.float32)
    curves = RaggedLightCurves(
        offsets=np.array([0, _POINTS], dtype=np.int32),
        mjd_tai=days,
        flux_njy=flux,
        flux_err_njy=np.full(_POINTS, 10.0, dtype=np.float32),
        band=np.where(days % 2 == 0, 1, 2).astype(np.int8),
        kind=np.full(_POINTS, DETECTION, dtype=np.int8),
    )
    nowhere = np.array([np.nan])
    one = LightCurveFile(
        np.array(["warm-up"]), curves, np.array([0.05]), nowhere, nowhere, np.array([""]), {}
    )
    classify(one.batch(), classifiers)
