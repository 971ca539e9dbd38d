"""How good a model is: confusion, ROC, reliability, and performance against days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score, roc_curve

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer[Any]]


def plot_confusion(
    label: Labels, probabilities: FloatArray, classes: Sequence[str], path: Path
) -> None:
    """Confusion matrix, each row a true class, shares of the row."""
    k = len(classes)
    counts = np.zeros((k, k))
    np.add.at(counts, (label, probabilities.argmax(axis=1)), 1.0)
    shown = np.flatnonzero(counts.sum(axis=1) > 0)
    shares = counts[shown] / counts[shown].sum(axis=1, keepdims=True)
    size = 2.5 + 0.45 * k
    figure, axes = plt.subplots(figsize=(size, 2.0 + 0.4 * len(shown)), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i in range(len(shown)):
        for j in range(k):
            if shares[i, j] >= 0.005:
                colour = "white" if shares[i, j] > 0.6 else "black"
                axes.text(j, i, f"{shares[i, j]:.2f}", ha="center", va="center", fontsize=7,
                          color=colour)  # fmt: skip
    axes.set_xticks(range(k), classes, rotation=60, ha="right", fontsize=8)
    numbers = counts.sum(axis=1)
    axes.set_yticks(
        range(len(shown)), [f"{classes[i]} ({numbers[i]:.0f})" for i in shown.tolist()], fontsize=8
    )
    axes.set_xlabel("most probable class")
    axes.set_ylabel("true class")
    _save(figure, path)


def plot_roc(label: Labels, probabilities: FloatArray, classes: Sequence[str], path: Path) -> None:
    """One class against the rest, every class that occurs."""
    figure, axes = plt.subplots(figsize=(5.2, 5.0), layout="constrained")
    for k, name in enumerate(classes):
        truth = label == k
        if 0 < truth.sum() < len(truth):
            false, true, _ = roc_curve(truth, probabilities[:, k])
            area = roc_auc_score(truth, probabilities[:, k])
            axes.plot(false, true, lw=1.2, label=f"{name} {area:.3f}")
    axes.plot([0, 1], [0, 1], color="#c8ccd3", lw=1)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.legend(fontsize=7, title="area", title_fontsize=7)
    _save(figure, path)


def plot_reliability(label: Labels, probabilities: FloatArray, path: Path) -> None:
    """How often the most probable class is right, against how probable it was."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == label
    slot = np.minimum((confidence * 10).astype(int), 9)
    counts = np.bincount(slot, minlength=10)
    some = counts > 0
    x = np.bincount(slot, confidence, 10)[some] / counts[some]
    y = np.bincount(slot, right, 10)[some] / counts[some]
    figure, axes = plt.subplots(figsize=(4.8, 4.6), layout="constrained")
    axes.plot([0, 1], [0, 1], color="#c8ccd3", lw=1)
    axes.errorbar(x, y, np.sqrt(y * (1 - y) / counts[some] + 1e-6), fmt="o-", lw=1.2, ms=4)
    axes.set_xlabel("probability of the most probable class")
    axes.set_ylabel("share that was right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    _save(figure, path)


def plot_against_days(by_days: Mapping[str, Mapping[str, float]], name: str, path: Path) -> None:
    """Area under ROC, purity and efficiency of one class against days since the trigger."""
    figure, axes = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
    days = list(by_days)
    for measure in ("auc", "purity", "efficiency"):
        values = [by_days[d].get(measure, np.nan) for d in days]
        axes.plot(range(len(days)), values, "o-", lw=1.2, ms=4, label=measure)
    axes.set_xticks(range(len(days)), [d if d == "all" else f"+{d}" for d in days])
    axes.set_xlabel("days since the first detection (S/N 5)")
    axes.set_ylim(0, 1.02)
    axes.set_title(f"{name} against the rest", fontsize=9)
    axes.legend(fontsize=8)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
