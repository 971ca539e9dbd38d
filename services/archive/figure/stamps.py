"""Cutouts drawn: stretched so that both a faint transient and its bright host are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from services.archive.figure.style import FAINT, INK
from shared.archive.cutouts import Cutout

_HEIGHT, _GAP, _LEFT, _WIDTH = 0.232, 0.013, 0.832, 0.143
_MARK_COLOUR = "#e0312d"


def draw_cutouts(figure: Any, cutouts: Sequence[Cutout], caption: str, top: float) -> None:
    """A column of stamps at the right of the page, from ``top`` (fraction of its height) down."""
    for number, cutout in enumerate(cutouts):
        bottom = top - (number + 1) * _HEIGHT - number * _GAP
        axes = figure.add_axes((_LEFT, bottom, _WIDTH, _HEIGHT))
        low, high = stretch_limits(cutout)
        scaled = np.clip((cutout.pixels - low) / (high - low), 0, 1)
        if cutout.name != "difference":
            scaled = np.arcsinh(6 * scaled) / np.arcsinh(6)
        axes.imshow(scaled, cmap="gray_r", origin="lower", interpolation="nearest", vmin=0, vmax=1)
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.set_yticks([])
        _draw_marks(axes, cutout)
    if cutouts and caption:
        bottom = top - len(cutouts) * (_HEIGHT + _GAP)
        figure.text(_LEFT + _WIDTH / 2, bottom, caption, fontsize=8.5, color=FAINT, ha="center",
                    va="top", linespacing=1.4)  # fmt: skip


def stretch_limits(cutout: Cutout) -> tuple[float, float]:
    """Pixel values drawn white and black, from the sky's median and its robust scatter.

    A difference image is drawn the same on both sides of its sky; the others begin two sigma
    below the sky and end where all but the brightest half percent lies.
    """
    good = cutout.pixels[np.isfinite(cutout.pixels)]
    if not good.size:
        return 0.0, 1.0
    median = float(np.median(good))
    sigma = 1.4826 * float(np.median(np.abs(good - median))) or float(np.std(good)) or 1.0
    if cutout.name == "difference":
        reach = max(5 * sigma, float(np.percentile(np.abs(good - median), 99.5)))
        return median - reach, median + reach
    return median - 2 * sigma, max(float(np.percentile(good, 99.5)), median + 5 * sigma)


def _draw_marks(axes: Any, cutout: Cutout) -> None:
    """Name, two lines that point at the middle, and a bar of 10 or 2 arcsec."""
    height, width = cutout.pixels.shape
    x, y = (width - 1) / 2, (height - 1) / 2
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.2}
    axes.text(0.035, 0.965, cutout.name, transform=axes.transAxes, va="top", fontsize=9, bbox=box)
    inner, outer = width * 0.06, width * 0.15
    axes.plot([x + inner, x + outer], [y, y], color=_MARK_COLOUR, lw=1.5)
    axes.plot([x, x], [y + inner, y + outer], color=_MARK_COLOUR, lw=1.5)
    if cutout.scale_arcsec:
        length_arcsec = 10.0 if width * cutout.scale_arcsec > 25 else 2.0
        length = length_arcsec / cutout.scale_arcsec
        left = width * 0.94 - length
        axes.plot([left, left + length], [height * 0.06] * 2, color=INK, lw=2)
        axes.text(left + length / 2, height * 0.085, f"{length_arcsec:.0f}″", ha="center",
                  fontsize=8.5, bbox={**box, "pad": 0.8})  # fmt: skip
