"""The page: title, panels, cutouts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.archive.figure.light_curve import Units, draw_light_curve, mark_events
from services.archive.figure.stamps import draw_cutouts
from services.archive.figure.style import EVENT_COLOUR, FAINT, RC
from services.archive.figure.verdicts import draw_verdicts
from services.archive.wording import (
    association_words,
    decimal_degrees,
    match_words,
    sexagesimal,
    span_words,
    utc_of,
    verdict_words,
)
from shared.archive.associations import distinct_associations, is_standing
from shared.archive.cutouts import Cutout
from shared.archive.history import ObjectHistory, distinct_matches

_TOP = 0.795


def draw_object(
    history: ObjectHistory,
    cutouts: Sequence[Cutout],
    path: Path,
    *,
    units: Units = "auto",
    caption: str = "",
) -> None:
    """Write a PNG of 1820 by 1120 pixels.

    Parameters
    ----------
    history
        The object.
    cutouts
        Stamps of one alert, or none.
    path
        The file.
    units
        Of the light curve.
    caption
        Which alert the cutouts are of.
    """
    import matplotlib as mpl  # noqa: PLC0415  # slow to import: only when drawing
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(RC):
        figure = Figure(figsize=(13, 8), dpi=140, facecolor="white")
        FigureCanvasAgg(figure)
        ratios = [3.1, 1] if history.classifiers else [1]
        grid = figure.add_gridspec(
            len(ratios), 1, height_ratios=ratios, hspace=0.09,
            left=0.065, right=0.815 if cutouts else 0.975, top=_TOP, bottom=0.07,
        )  # fmt: skip
        upper = lowest = figure.add_subplot(grid[0])
        draw_light_curve(upper, history.light_curve, units)
        mark_events(upper, history)
        if history.classifiers:
            lowest = figure.add_subplot(grid[1], sharex=upper)
            draw_verdicts(lowest, history)
            upper.tick_params(labelbottom=False)
        lowest.set_xlabel("MJD (TAI)")
        _add_dates(upper)
        _write_title(figure, history)
        draw_cutouts(figure, cutouts, caption, _TOP)
        figure.savefig(path)


def _add_dates(axes: Any) -> None:
    """Calendar dates, UTC, along the upper edge."""
    first, last = axes.get_xlim()
    top = axes.secondary_xaxis("top")
    ticks = [tick for tick in axes.get_xticks() if first <= tick <= last]
    form = "%Y-%m-%d" if last - first > 3 else "%m-%d %H:%M"
    top.set_xticks(ticks, [utc_of(tick).strftime(form) for tick in ticks])
    top.tick_params(labelsize=8.5, length=0, pad=3)


def _write_title(figure: Any, history: ObjectHistory) -> None:
    latest = history.latest
    figure.text(0.065, 0.948, history.object_id, fontsize=21, weight="bold", va="center")
    degrees = latest["ra_deg"], latest["dec_deg"]
    place = f"{sexagesimal(*degrees)}  ({decimal_degrees(*degrees)})"
    facts = [history.survey.upper(), place, span_words(history)]
    facts += ["SIMULATED"] if latest["is_simulated"] else []
    figure.text(0.065, 0.902, "  ·  ".join(facts), fontsize=10.5, color=FAINT, va="center")
    figure.text(0.065, 0.864, "  ·  ".join(_known(history)), fontsize=10.5, va="center")
    standing = [one for one in distinct_associations(history.associations) if is_standing(one)]
    if standing:
        words = association_words(standing[0])
        figure.text(0.975, 0.948, words, fontsize=11, color=EVENT_COLOUR, ha="right", va="center")


def _known(history: ObjectHistory) -> list[str]:
    """What is known of the object: the nearest matches and the latest verdicts."""
    matches = distinct_matches(history)
    facts = [match_words(match) for match in matches[:2]] or ["no catalog match"]
    if matches[2:]:
        facts.append(f"{len(matches) - 2} more")
    latest = history.latest
    verdicts = [(name, latest[name]) for name in history.classifiers if latest.get(name)]
    return facts + [verdict_words(name, verdict) for name, verdict in verdicts[:2]]
