"""Figures as SVG: a light curve, and events on the sky. Styled by classes: CSP allows no more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from shared.archive.history import LightCurve
from shared.light_curves.bands import BANDS, UPPER_LIMIT

_WIDTH, _HEIGHT = 760, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 20, 50
_SKY_RADIUS = 180.0


def light_curve_svg(curve: LightCurve) -> Markup:
    """Flux against time, one colour a band; upper limits as triangles at five sigma."""
    flux = np.where(curve.kind == UPPER_LIMIT, 5.0 * curve.flux_err_njy, curve.flux_njy) / 1000.0
    known = np.isfinite(flux) & np.isfinite(curve.mjd_tai)
    if not known.any():
        return Markup("")  # nothing to draw
    x = _Axis.of(curve.mjd_tai[known], _LEFT, _WIDTH - _RIGHT)
    error = np.where(np.isfinite(curve.flux_err_njy), curve.flux_err_njy, 0.0) / 1000.0
    spread = np.where(curve.kind == UPPER_LIMIT, 0.0, error)
    y = _Axis.of(
        np.concatenate([flux[known] - spread[known], flux[known] + spread[known]]),
        _HEIGHT - _BOTTOM, _TOP,
    )  # fmt: skip
    marks = []
    for i in np.flatnonzero(known).tolist():
        band = BANDS[int(curve.band[i])] if 0 <= curve.band[i] < len(BANDS) else "none"
        at_x, at_y = x.at(float(curve.mjd_tai[i])), y.at(float(flux[i]))
        if curve.kind[i] == UPPER_LIMIT:
            marks.append(
                f'<path class="limit band-{band}" d="M{at_x - 4:.1f} {at_y:.1f}h8l-4 7z"/>'
            )
            continue
        low, high = y.at(float(flux[i] - error[i])), y.at(float(flux[i] + error[i]))
        marks.append(
            f'<path class="bar band-{band}" d="M{at_x:.1f} {low:.1f}V{high:.1f}"/>'
            f'<circle class="band-{band}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="3.5"/>'
        )
    frame = _frame(x, y, "MJD (TAI)", "flux, µJy")
    return Markup(  # noqa: S704  # numbers and words of ours only
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Light curve">{frame}{"".join(marks)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to places on the page."""

    low: float
    high: float
    first: float
    last: float

    @classmethod
    def of(cls, values: Iterable[float], first: float, last: float) -> _Axis:
        given = np.asarray(list(values), np.float64)
        low, high = float(given.min()), float(given.max())
        margin = 0.06 * (high - low) or max(abs(high) * 0.1, 0.5)
        return cls(low - margin, high + margin, first, last)

    def at(self, value: float) -> float:
        """Where a value is."""
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    def ticks(self) -> Sequence[float]:
        """Round values along the axis, four to nine of them."""
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 3.0))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= 8)
        return [
            step * n for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        ]


def _frame(x: _Axis, y: _Axis, x_title: str, y_title: str) -> str:
    parts = [
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}"/>'
    ]
    for tick in x.ticks():
        at = x.at(tick)
        parts.append(
            f'<path class="grid" d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
            f'<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        )
    for tick in y.ticks():
        at = y.at(tick)
        parts.append(
            f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{x_title}</text>')
    parts.append(
        f'<text x="16" y="{_HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 16 {_HEIGHT / 2})">{y_title}</text>'
    )
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class SkyMark:
    """Something at a place, with a radius if it is a region."""

    ra_deg: float
    dec_deg: float
    radius_deg: float
    kind: str
    """Class of the mark: a messenger."""
    number: int


def sky_svg(marks: Iterable[SkyMark]) -> Markup:
    """The whole sky in Hammer's projection, ICRS; right ascension grows to the left from 0h."""
    width, height = 2 * _SKY_RADIUS + 20, _SKY_RADIUS + 20
    cx, cy = width / 2, height / 2
    frame = (
        f'<ellipse class="frame" cx="{cx}" cy="{cy}" rx="{_SKY_RADIUS}" ry="{_SKY_RADIUS / 2}"/>'
    )
    parallels = [[(ra, dec) for ra in range(-180, 181, 5)] for dec in (-60, -30, 0, 30, 60)]
    meridians = [[(ra, dec) for dec in range(-90, 91, 5)] for ra in range(-150, 180, 30)]
    parts = [*(_line(points, cx, cy) for points in (*parallels, *meridians)), frame]
    for hours in (6, 12, 18):
        x, y = _hammer(hours * 15.0 if hours != 12 else 179.9, 0.0)
        parts.append(
            f'<text x="{cx + x:.1f}" y="{cy + y - 2:.1f}" text-anchor="middle">{hours}h</text>'
        )
    for mark in marks:
        x, y = _hammer(mark.ra_deg, mark.dec_deg)
        radius = min(max(mark.radius_deg, 1.5), 40.0)
        parts.append(
            f'<circle class="event {mark.kind}" cx="{cx + x:.1f}" cy="{cy + y:.1f}" '
            f'r="{radius:.1f}"/><text class="number" x="{cx + x:.1f}" y="{cy + y + 2:.1f}" '
            f'text-anchor="middle">{mark.number}</text>'
        )
    return Markup(  # noqa: S704  # numbers and words of ours only
        f'<svg class="figure sky" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="Events on the sky">{"".join(parts)}</svg>'
    )


def _hammer(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    """Hammer (1892): equal areas; degrees to places around the centre, east to the left."""
    longitude = math.radians((ra_deg + 180.0) % 360.0 - 180.0)
    latitude = math.radians(dec_deg)
    scale = math.sqrt(1.0 + math.cos(latitude) * math.cos(longitude / 2.0))
    x = 2.0 * math.cos(latitude) * math.sin(longitude / 2.0) / scale
    y = math.sin(latitude) / scale
    return -x * _SKY_RADIUS / 2.0, -y * _SKY_RADIUS / 2.0


def _line(points: Iterable[tuple[float, float]], cx: float, cy: float) -> str:
    places = []
    for ra, dec in points:
        x, y = _hammer(math.copysign(min(abs(ra), 179.99), ra), dec)
        places.append(f"{cx + x:.1f} {cy + y:.1f}")
    return f'<path class="grid" d="M{"L".join(places)}"/>'
