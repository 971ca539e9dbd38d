"""Light curves of a backtest's examples, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from services.portal.verbs.filter_report import curves

_COLOURS = {"u": "tab:purple", "g": "tab:green", "r": "tab:red", "i": "tab:orange",
            "z": "tab:brown", "y": "k"}  # fmt: skip


def plot_examples(name: str, examples: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write one panel for each example, flux in microjansky against MJD."""
    figure = Figure(figsize=(8, 2.2 * max(1, len(examples))), layout="constrained")
    panels = figure.subplots(max(1, len(examples)), squeeze=False)[:, 0]
    for panel, example in zip(panels, examples, strict=False):
        for band, points in curves(example["light_curve"]).items():
            mjds, fluxes = zip(*points, strict=True)
            panel.plot(mjds, [f / 1000 for f in fluxes], "o", ms=3, color=_COLOURS[band],
                       label=band)  # fmt: skip
        panel.axvline(example["mjd_tai"], color="0.7", lw=1)
        panel.set_title(f"{example['survey']} {example['object_id']}", fontsize=9)
        panel.set_ylabel("µJy")
        panel.legend(fontsize=7, ncols=6)
    panels[-1].set_xlabel("MJD (TAI)")
    figure.suptitle(f"Examples of what {name} wants")
    figure.savefig(path, dpi=110)
