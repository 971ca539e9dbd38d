"""A localisation drawn: the whole sky in Mollweide's projection, and closer where it is small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.mma.skymaps.base import FloatArray, Region
from services.mma.skymaps.compiled import compiled
from shared.sky.healpix import healpix29_of

CONTOURS = (0.5, 0.9)
_INK, _FAINT, _COLOUR, _CANDIDATE = "#1d2433", "#9aa1ad", "#6d3fa0", "#c61c00"
_CLOSE_BELOW_DEG2 = 1000.0
MAX_NAMED = 12
_LONGEST_NAME = 24
_ROW_OF_HALF = 0.09
"""Height of a name's row, of half the closer view: twelve fill little more than half of it."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Candidates to draw, the first the best; degrees, shape (n,)."""

    ra_deg: FloatArray
    dec_deg: FloatArray
    names: list[str]


def draw_region(region: Region, marked: Marked, title: str, path: Path) -> None:
    """Write a PNG of ``region`` with its 50 and 90 % contours and the candidates."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    area_90 = region.searched_area_deg2(0.9)
    is_small = area_90 < _CLOSE_BELOW_DEG2
    figure = Figure(figsize=(13.0 if is_small else 9.0, 5.2), dpi=130)
    FigureCanvasAgg(figure)
    columns = 2 if is_small else 1
    ratios = [1.7, 1.0][:columns]
    grid = figure.add_gridspec(1, columns, width_ratios=ratios, wspace=0.12)
    _draw_sky(figure.add_subplot(grid[0], projection="mollweide"), region, marked)
    if is_small:
        _draw_close(figure.add_subplot(grid[1]), region, marked, area_90)
    words = f"{title}   50 %: {region.searched_area_deg2(0.5):.4g} deg²   90 %: {area_90:.4g} deg²"
    figure.suptitle(words, color=_INK, fontsize=11, x=0.02, ha="left")
    figure.savefig(path, bbox_inches="tight")


def _levels_on(region: Region, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
    ra, dec = ra_deg.ravel() % 360.0, dec_deg.ravel()
    return region.credible_levels(ra, dec, healpix29_of(ra, dec)).reshape(ra_deg.shape)


def _filled(axes: Any, x: FloatArray, y: FloatArray, levels: FloatArray) -> None:
    axes.contourf(x, y, levels, [0.0, *CONTOURS], colors=["#8f63c5", "#d9c9ee"])
    axes.contour(x, y, levels, CONTOURS, colors=[_COLOUR], linewidths=[1.4, 0.9])


def _draw_sky(axes: Any, region: Region, marked: Marked) -> None:
    """Right ascension grows to the left, 180 in the middle, as the sky is seen."""
    ra, dec = np.meshgrid(np.linspace(0.0, 360.0, 1081)[:-1] + 1 / 6, np.linspace(-89.9, 89.9, 541))
    x = np.radians(180.0 - ra)
    order = np.argsort(x[0])
    _filled(axes, x[:, order], np.radians(dec)[:, order], _levels_on(region, ra, dec)[:, order])
    row = _best(region)
    axes.plot(np.radians(180.0 - row[0]), np.radians(row[1]), marker="+", ms=13, color=_INK, mew=1)
    axes.scatter(
        np.radians(180.0 - marked.ra_deg % 360.0), np.radians(marked.dec_deg),
        s=12, color=_CANDIDATE, zorder=4, linewidths=0,
    )  # fmt: skip
    axes.set_xticks(np.radians([-120, -60, 0, 60, 120]), ["300°", "240°", "180°", "120°", "60°"])
    axes.tick_params(colors=_FAINT, labelsize=8)
    axes.grid(color="#e6e8ec", lw=0.7)


def _best(region: Region) -> tuple[float, float]:
    return compiled(region).mode()


def _draw_close(axes: Any, region: Region, marked: Marked, area_90: float) -> None:
    """A tangent plane about the best position; east is left."""
    ra0, dec0 = _best(region)
    half = max(1.6 * float(np.sqrt(area_90)), 2.0 / 3600.0)
    east, north = np.meshgrid(np.linspace(half, -half, 401), np.linspace(-half, half, 401))
    dec = np.clip(dec0 + north, -90.0, 90.0)
    ra = ra0 + east / np.maximum(np.cos(np.radians(dec)), 1e-3)
    _filled(axes, east, north, _levels_on(region, ra, dec))
    x = ((marked.ra_deg - ra0 + 180.0) % 360.0 - 180.0) * np.cos(np.radians(marked.dec_deg))
    y = marked.dec_deg - dec0
    near = (np.abs(x) < half) & (np.abs(y) < half)
    axes.scatter(x[near], y[near], s=16, color=_CANDIDATE, zorder=4, linewidths=0)
    named = np.flatnonzero(near)[:MAX_NAMED]
    _write_names(axes, x[named], y[named], [marked.names[int(k)] for k in named], half)
    if near.sum() > MAX_NAMED:
        words = f"named: the first {MAX_NAMED} of {near.sum()}"
        axes.set_title(words, fontsize=8, color=_FAINT, loc="right")
    axes.set(xlim=(half, -half), ylim=(-half, half), aspect="equal")
    axes.set_xlabel(f"degrees east of {ra0:.4f}°", color=_FAINT)
    axes.set_ylabel(f"degrees north of {dec0:+.4f}°", color=_FAINT)
    axes.tick_params(colors=_FAINT, labelsize=8)


def _write_names(axes: Any, x: FloatArray, y: FloatArray, names: list[str], half: float) -> None:
    """Names in a column at either edge, with a line to each dot: none stands over another."""
    gap = half * _ROW_OF_HALF
    for side, on_it in ((1.0, x >= 0.0), (-1.0, x < 0.0)):
        rows = np.flatnonzero(on_it)[np.argsort(y[on_it])]
        for row, height in zip(rows.tolist(), spread(y[rows], gap, half - gap), strict=True):
            axes.annotate(
                names[row][:_LONGEST_NAME], (x[row], y[row]), xytext=(side * 0.98 * half, height),
                ha="left" if side > 0.0 else "right", va="center", fontsize=7.5, color=_INK,
                arrowprops={"arrowstyle": "-", "lw": 0.5, "color": _FAINT, "shrinkA": 1.0,
                            "shrinkB": 2.0, "relpos": (float(side > 0.0), 0.5)},
            )  # fmt: skip


def spread(heights: FloatArray, gap: float, limit: float) -> FloatArray:
    """Heights moved as little as is simple, to be ``gap`` apart and within ``limit`` of zero.

    Parameters
    ----------
    heights
        Rising, shape (n,); n gaps must fit.
    """
    moved = _risen(heights, gap, -limit)
    moved -= (moved - heights).mean() if len(heights) else 0.0
    lowered = -_risen(-moved[::-1], gap, -limit)[::-1]
    return _risen(lowered, gap, -limit)


def _risen(heights: FloatArray, gap: float, least: float) -> FloatArray:
    """Heights moved up where they are too near to the one below, or to the edge."""
    moved = heights.copy()
    for k in range(len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + gap if k else least)
    return moved
