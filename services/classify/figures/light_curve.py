"""A light curve and what the classifiers say of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from services.classify.classifiers.base import Classifier, ModelClassifier
from services.classify.features import compute_features
from services.classify.light_curve_file import LightCurveFile
from shared.light_curves.bands import BANDS

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

BAND_COLOURS = dict(
    zip(BANDS, ("#56297a", "#2a7a3b", "#b8282e", "#c26a00", "#444444", "#8a8a8a"), strict=True)
)


def plot_objects(
    curves: LightCurveFile, classifiers: Sequence[Classifier], folder: Path, most: int
) -> int:
    """Write a PNG for each of the first ``most`` objects; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    number = min(len(curves), most)
    batch = curves.batch(0, number)
    features = compute_features(batch)
    lines: list[list[str]] = [[] for _ in range(number)]
    for classifier in classifiers:
        if not isinstance(classifier, ModelClassifier):
            continue
        answer = classifier.answer(batch, features)
        for k, row in zip(
            np.flatnonzero(answer.reasons.answered).tolist(), answer.probabilities, strict=True
        ):
            best = np.argsort(-row)[:3]
            words = ", ".join(f"{classifier.model.classes[c]} {row[c]:.2f}" for c in best)
            lines[k].append(f"{classifier.name}: {words}")
    for k in range(number):
        name = str(curves.object_id[k])
        _plot(curves, k, name, lines[k], folder / f"{re.sub('[^A-Za-z0-9._-]', '_', name)}.png")
    return number


def _plot(curves: LightCurveFile, k: int, name: str, lines: list[str], path: Path) -> None:
    own = curves.curves.curves(np.array([k]))
    figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    first = own.mjd_tai.min(initial=np.inf)
    for code, band in enumerate(BANDS):
        here = own.band == code
        if here.any():
            axes.errorbar(
                own.mjd_tai[here] - first,
                own.flux_njy[here] / 1e3,
                own.flux_err_njy[here] / 1e3,
                fmt="o",
                ms=3.5,
                lw=0.8,
                color=BAND_COLOURS[band],
                label=band,
            )
    axes.axhline(0.0, color="#c8ccd3", lw=1)
    axes.set_xlabel("days since the first point")
    axes.set_ylabel("flux (µJy)")
    axes.set_title("\n".join([name, *lines]), fontsize=8, loc="left")
    if len(own.mjd_tai):
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
