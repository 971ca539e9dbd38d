"""The light curve's panel: detections, forced photometry and upper limits of each band."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from services.archive.figure.style import BAND_STYLE, EVENT_COLOUR, FAINT, LINE
from shared.archive.associations import distinct_associations, is_standing
from shared.archive.history import LightCurve, ObjectHistory
from shared.light_curves.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from shared.light_curves.photometry import MAGNITUDE_ERROR_FACTOR, magnitude_ab_of

Units = Literal["auto", "mag", "flux"]
"""``mag``: AB; ``flux``: microjansky; ``auto``: flux if it has faded, which no magnitude shows."""
_LIMIT_SIGMA = 5.0
_SIGNIFICANT = 3.0
_LIMIT_COLOUR = "#c8ccd3"
FloatArray = npt.NDArray[np.float64]


def uses_flux(curve: LightCurve, units: Units) -> bool:
    """Whether to draw fluxes: asked for, or a significant negative flux is there."""
    if units != "auto":
        return units == "flux"
    with np.errstate(invalid="ignore"):
        return bool(np.any(curve.flux_njy < -_SIGNIFICANT * curve.flux_err_njy))


def drawn_points(
    curve: LightCurve, *, flux: bool
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Ordinate, its error, and whether a point is only a limit; all of shape (n,).

    In magnitudes, forced photometry of less than three sigma is a limit of five; a detection that
    is negative has no place (NaN). In microjansky every measurement has one.
    """
    limit_njy = _LIMIT_SIGMA * curve.flux_err_njy
    is_limit = curve.kind == UPPER_LIMIT
    if flux:
        value = np.where(is_limit, limit_njy, curve.flux_njy) / 1000.0
        return value, curve.flux_err_njy / 1000.0, is_limit
    with np.errstate(invalid="ignore", divide="ignore"):
        is_limit |= (curve.kind == FORCED) & ~(curve.flux_njy > _SIGNIFICANT * curve.flux_err_njy)
        error = MAGNITUDE_ERROR_FACTOR * curve.flux_err_njy / curve.flux_njy
    return magnitude_ab_of(np.where(is_limit, limit_njy, curve.flux_njy)), error, is_limit


def draw_light_curve(axes: Any, curve: LightCurve, units: Units) -> None:
    """Draw ``curve`` with its legend and ordinate."""
    flux = uses_flux(curve, units)
    value, error, is_limit = drawn_points(curve, flux=flux)
    for code, band in enumerate(BANDS):
        colour, marker = BAND_STYLE[band]
        at = (curve.band == code) & is_limit
        axes.scatter(curve.mjd_tai[at], value[at], marker="v", s=17, c=colour, alpha=0.28, lw=0)
        for kind, fill, edge, size in (
            (FORCED, "white", colour, 3.5),
            (DETECTION, colour, "white", 6.5),
        ):
            at = (curve.band == code) & (curve.kind == kind) & ~is_limit & np.isfinite(value)
            axes.errorbar(
                curve.mjd_tai[at], value[at], error[at], fmt=marker, color=colour, ms=size,
                mfc=fill, mec=edge, mew=0.8, elinewidth=0.9, zorder=3 + (kind == DETECTION),
            )  # fmt: skip
    axes.margins(x=0.03, y=0.08)
    if flux:
        axes.axhline(0, color=LINE, lw=1, zorder=1)
        axes.set_ylabel("difference flux (µJy)")
    else:
        axes.invert_yaxis()
        axes.set_ylabel("AB magnitude of the difference")
    _write_legend(axes, curve, is_limit)


def _write_legend(axes: Any, curve: LightCurve, is_limit: npt.NDArray[np.bool_]) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415  # slow to import: only when drawing

    handles = []
    for code, band in enumerate(BANDS):
        count = int(np.sum((curve.band == code) & (curve.kind == DETECTION)))
        if np.any(curve.band == code):
            colour, marker = BAND_STYLE[band]
            label = f"{band}, {count} detection{'' if count == 1 else 's'}"
            handles.append(Line2D([], [], ls="", marker=marker, ms=6, color=colour, label=label))
    if np.any((curve.kind == FORCED) & ~is_limit):
        handles.append(
            Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=FAINT,
                   label="forced photometry")
        )  # fmt: skip
    if np.any(is_limit):
        handles.append(
            Line2D([], [], ls="", marker="v", ms=5, color=_LIMIT_COLOUR, label="5σ upper limit")
        )
    axes.legend(handles=handles, loc="best")


def mark_events(axes: Any, history: ObjectHistory) -> None:
    """A line at the time of each associated event, where that is within or near the plot."""
    first, last = axes.get_xlim()
    times = {
        str(association["event_id"]): association["event_mjd_tai"]
        for association in distinct_associations(history.associations)
        if isinstance(association.get("event_mjd_tai"), float) and is_standing(association)
    }
    for event_id, mjd_tai in times.items():
        if first - 10 < mjd_tai < last + 10:
            axes.axvline(mjd_tai, color=EVENT_COLOUR, lw=1.4, ls=(0, (5, 3)), zorder=2)
            axes.annotate(
                event_id, (mjd_tai, 0.985), xycoords=("data", "axes fraction"), rotation=90,
                xytext=(-3, 0), textcoords="offset points", ha="right", va="top",
                color=EVENT_COLOUR, fontsize=9,
            )  # fmt: skip
