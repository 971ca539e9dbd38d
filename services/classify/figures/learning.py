"""Learning drawn: models on streams, and seasons of active learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

_COLOURS = ("#1f4e9c", "#b8282e", "#2a7a3b", "#c26a00", "#56297a", "#444444", "#0f8b8d", "#a0522d")
_WAY_MARKS = {"static": "s", "batch": "o", "delayed": "v", "example": "^", "causal": "D"}
Rows = Sequence[Mapping[str, Any]]


def plot_benchmark(rows: Rows, path: Path) -> None:
    """Prequential and hold-out accuracy of every model, a panel for each stream."""
    streams = list(dict.fromkeys(row["stream"] for row in rows))
    figure, axes = plt.subplots(
        1,
        len(streams),
        figsize=(4.6 * len(streams) + 1.5, 5.2),
        layout="constrained",
        squeeze=False,
    )
    models = list(dict.fromkeys(row["model"] for row in rows))
    place = {name: k for k, name in enumerate(reversed(models))}
    for panel, stream in zip(axes[0], streams, strict=True):
        for row in (one for one in rows if one["stream"] == stream):
            y = place[row["model"]]
            mark = _WAY_MARKS[row["way"]]
            panel.plot(row["accuracy"], y + 0.12, mark, color=_COLOURS[0], ms=6)
            panel.plot(
                row["hold_out_accuracy"], y - 0.12, mark, color=_COLOURS[3], ms=6, mfc="none"
            )
        panel.set_yticks(list(place.values()), list(place) if panel is axes[0][0] else [])
        panel.set_xlabel("accuracy")
        panel.set_title(stream, fontsize=10)
        panel.grid(axis="x", color="#e3e6ea")
    handles = [
        mpl.lines.Line2D([], [], ls="", marker=mark, color="#444444", label=way)
        for way, mark in _WAY_MARKS.items()
    ]
    handles.append(
        mpl.lines.Line2D([], [], ls="", marker="o", color=_COLOURS[0], label="as it came")
    )
    handles.append(
        mpl.lines.Line2D([], [], ls="", marker="o", mfc="none", color=_COLOURS[3], label="hold-out")
    )
    axes[0][-1].legend(handles=handles, fontsize=8, loc="lower left")
    _save(figure, path)


def plot_seasons(
    ours: Rows, published: Mapping[str, Mapping[str, Any]], path: Path, title: str
) -> None:
    """Four measures against queries: our strategies in full, the published runs dashed."""
    measures = ("accuracy", "efficiency", "purity", "figure_of_merit")
    figure, axes = plt.subplots(2, 2, figsize=(9.5, 7.0), layout="constrained", sharex=True)
    names = list(dict.fromkeys(row["name"] for row in ours))
    for panel, measure in zip(axes.ravel(), measures, strict=True):
        for name, colour in zip(names, _COLOURS, strict=False):
            own = [row for row in ours if row["name"] == name]
            queries = sorted({row["queries"] for row in own})
            mean = [np.mean([r[measure] for r in own if r["queries"] == q]) for q in queries]
            panel.plot(queries, mean, color=colour, lw=1.6, label=name)
        for (name, curve), colour in zip(published.items(), _COLOURS, strict=False):
            panel.plot(
                curve["queries"], curve[measure], ls="--", lw=0.9, color=colour, alpha=0.8,
                label=f"published: {name}",
            )  # fmt: skip
        panel.set_ylabel(measure.replace("_", " "))
        panel.grid(color="#e3e6ea")
    for panel in axes[1]:
        panel.set_xlabel("queries")
    axes[0][0].legend(fontsize=7)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def plot_nights(ours: Rows, path: Path, x: str, measures: Sequence[str], title: str) -> None:
    """Measures of a season night by night, a line for each strategy."""
    figure, axes = plt.subplots(
        1, len(measures), figsize=(4.4 * len(measures), 4.0), layout="constrained", squeeze=False
    )
    names = list(dict.fromkeys(row["name"] for row in ours))
    for panel, measure in zip(axes[0], measures, strict=True):
        for name, colour in zip(names, _COLOURS, strict=False):
            own = [row for row in ours if row["name"] == name]
            at = sorted({row[x] for row in own})
            mean = [np.mean([r[measure] for r in own if r[x] == a]) for a in at]
            panel.plot(at, mean, color=colour, lw=1.5, label=name)
        panel.set_xlabel(x.replace("_", " "))
        panel.set_ylabel(measure.replace("_", " "))
        panel.grid(color="#e3e6ea")
    axes[0][0].legend(fontsize=8)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
