"""A backtest's report as text: how many per night, the share, examples with their light curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.archive.nights import night_date
from shared.light_curves.bands import BANDS, UPPER_LIMIT

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 40
_MOST_NIGHTS = 14
Point = tuple[float, float]


def report_lines(name: str, report: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a report, as ``Report.document`` gives it."""
    if not report["alerts"]:
        yield f"{name}: there is no alert to try it on yet"
        return
    yield (
        f"{name}: {report['wanted']:,} of {report['alerts']:,} alerts"
        f" ({report['share']:.3%}), {report['per_night']:.1f} a night"
        f" ({report['seconds']:.1f} s{', older nights left out' if report['is_cut'] else ''})"
    )
    most = max((night["wanted"] for night in report["nights"]), default=0)
    for night in report["nights"][-_MOST_NIGHTS:]:
        bar = "█" * round(20 * night["wanted"] / most) if most else ""
        yield (
            f"  {night_date(night['night'])} {night['survey']:<6} {night['alerts']:>10,} alerts"
            f" {night['wanted']:>8,} wanted {bar}"
        )
    for example in report["examples"]:
        yield (
            f"  {example['survey']} {example['object_id']} alert {example['alert_id']}"
            f" RA {example['ra_deg']:.5f} Dec {example['dec_deg']:+.5f}"
        )
        for band, points in curves(example["light_curve"]).items():
            first, last = points[0][0], points[-1][0]
            yield f"    {band} {sparkline(points)} {len(points)} points, {last - first:.1f} days"
        if example["sends"]:
            sends = ", ".join(f"{key}={_short(value)}" for key, value in example["sends"].items())
            yield f"    sends {sends}"


def curves(light_curve: Mapping[str, Sequence[Any]]) -> dict[str, list[Point]]:
    """Time and flux in nanojansky of each band, upper limits left out, in order of time."""
    found: dict[str, list[Point]] = {}
    columns = (light_curve[k] for k in ("lc_mjd_tai", "lc_flux_njy", "lc_band", "lc_kind"))
    for mjd, flux, band, kind in zip(*columns, strict=True):
        if kind != UPPER_LIMIT and flux is not None and math.isfinite(flux):
            found.setdefault(BANDS[band], []).append((mjd, flux))
    return {band: sorted(points) for band, points in found.items()}


def sparkline(points: Sequence[Point]) -> str:
    """Flux against time in blocks: the mean of what falls into each, a space where nothing does."""
    first, last = points[0][0], points[-1][0]
    low, high = min(flux for _, flux in points), max(flux for _, flux in points)
    bins: list[list[float]] = [[] for _ in range(min(_WIDTH, 2 * len(points)))]
    for mjd, flux in points:
        at = (mjd - first) / (last - first) if last > first else 0.0
        bins[min(int(at * len(bins)), len(bins) - 1)].append(flux)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((sum(each) / len(each) - low) * scale)] if each else " " for each in bins
    )


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
