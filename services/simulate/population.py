"""A night's alerts: sources drawn from every model, observed, and those that are detected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.simulate.cadence import Visits, plan_visits
from services.simulate.models import MODELS
from services.simulate.models.base import Drawn, FloatArray, IntArray, SourceModel, Sources
from services.simulate.models.spectra import star_flux_njy
from services.simulate.sky import NightSky, pairs_of
from services.simulate.telescopes import Telescope
from shared.light_curves.photometry import flux_njy_of

DETECTION_SIGMA = 5.0
_ALERTS_PER_FIELD = 40
_MIN_FIELDS, _MAX_FIELDS = 12, 320
_CALIBRATION_ERROR = 0.012
"""Relative error of a bright difference flux: flat field and PSF."""
_STAR_RESIDUAL = 0.004
"""Part of a star's light that a subtraction leaves, one sigma."""
_FILL_WITH_ASTEROIDS = 0.75
"""What the catalogs cannot supply is made up by asteroids to this part, by bogus for the rest."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Sources that must be in the night: of an event."""

    model: SourceModel
    drawn: Drawn


@dataclass(frozen=True, slots=True)
class Night:
    """Everything a survey's packets are written from. ``n`` sources, ``m`` points."""

    telescope: Telescope
    night_mjd: int
    seed: int
    visits: Visits
    sources: Sources
    model_names: tuple[str, ...]
    model_code: IntArray
    """Shape (n,): index into ``model_names``."""
    offsets: IntArray
    """Shape (n+1,): source ``i`` was looked at in the points ``offsets[i]:offsets[i+1]``."""
    point_source: IntArray
    point_visit: IntArray
    flux_njy: FloatArray
    """Measured difference flux of each point, noise included."""
    flux_err_njy: FloatArray
    is_detected: npt.NDArray[np.bool_]
    alert_points: IntArray
    """The points that made alerts, in order of exposure, detector and source."""


@dataclass(frozen=True, slots=True)
class _Observed:
    sources: Sources
    source: IntArray
    visit: IntArray
    flux: FloatArray
    error: FloatArray
    detected: npt.NDArray[np.bool_]


def simulate_night(
    telescope: Telescope,
    night_mjd: int,
    n_alerts: int,
    seed: int,
    plants: Sequence[Plant] = (),
    plants_after_mjd: float = 0.0,
) -> Night:
    """Exactly ``n_alerts`` alerts of one night; the same arguments give the same night.

    Parameters
    ----------
    night_mjd
        UTC date at the telescope's midnight, MJD.
    plants
        Sources that are observed as well; their fields become targets of opportunity.
    plants_after_mjd
        Those fields are observed this night no earlier than this, MJD UTC.

    Raises
    ------
    ValueError
        If a plant cannot be observed that night.
    services.simulate.catalogs.MissingCatalogError
        If a package with a catalog is not installed.
    """
    rng = np.random.default_rng([seed, night_mjd, len(telescope.survey)])
    targets = [
        (float(ra), float(dec))
        for plant in plants
        for ra, dec in zip(plant.drawn.sources.ra_deg, plant.drawn.sources.dec_deg, strict=True)
    ]
    n_fields = int(np.clip(n_alerts // _ALERTS_PER_FIELD, _MIN_FIELDS, _MAX_FIELDS))
    visits = plan_visits(telescope, night_mjd, rng, n_fields, targets, plants_after_mjd)
    sky = NightSky(telescope, visits, rng)
    names = tuple(model.name for model in MODELS)
    parts: list[tuple[int, _Observed]] = []
    missing = n_alerts
    for plant in plants:
        seen = _observe(telescope, visits, rng, plant.model, plant.drawn)
        parts.append((names.index(plant.model.name), seen))
        missing -= _alerts_in(seen, visits)
    owed = 0.0
    for code, model in enumerate(MODELS):
        wish = model.share * n_alerts
        if model.name == "asteroid":
            wish += max(0.0, owed) * _FILL_WITH_ASTEROIDS
        target = missing if code == len(MODELS) - 1 else min(missing, _whole(rng, wish))
        seen_parts = _collect(telescope, visits, rng, sky, model, target)
        made = sum(_alerts_in(part, visits) for part in seen_parts)
        parts += [(code, part) for part in seen_parts]
        owed += target - made
        missing -= made
    return _assemble(telescope, night_mjd, seed, visits, names, parts, n_alerts)


def _whole(rng: np.random.Generator, wish: float) -> int:
    """``wish`` rounded up or down at random, right on average."""
    return int(np.floor(wish + rng.random()))


def _alerts_in(seen: _Observed, visits: Visits) -> int:
    return int(np.count_nonzero(seen.detected & visits.is_tonight[seen.visit]))


def _collect(
    telescope: Telescope,
    visits: Visits,
    rng: np.random.Generator,
    sky: NightSky,
    model: SourceModel,
    target: int,
) -> list[_Observed]:
    """Draw from ``model`` until it has made ``target`` alerts, or nothing more can be drawn."""
    collected: list[_Observed] = []
    missing, alerts_per_source = target, 0.5
    for _ in range(60):
        if missing <= 0:
            break
        n = int(np.clip(1.1 * missing / alerts_per_source + 4, 8, 200_000))
        drawn = model.draw(rng, n, sky)
        if not len(drawn.sources):
            break
        seen = _observe(telescope, visits, rng, model, drawn)
        made = _alerts_in(seen, visits)
        alerts_per_source = max(0.5 * made / n + 0.5 * alerts_per_source, 0.005)
        seen = _first_alerts(seen, visits, missing)
        missing -= _alerts_in(seen, visits)
        collected.append(seen)
    return collected


def _observe(
    telescope: Telescope,
    visits: Visits,
    rng: np.random.Generator,
    model: SourceModel,
    drawn: Drawn,
) -> _Observed:
    """Look at the sources in every visit of their fields: flux, error, and what is detected."""
    sources = drawn.sources
    source, visit = pairs_of(visits, visits.index_of(sources.ra_deg, sources.dec_deg))
    parameters = {name: values[source] for name, values in drawn.parameters.items()}
    flux = model.flux_njy(parameters, visits.mjd_tai[visit], visits.band[visit])
    star = np.nan_to_num(
        star_flux_njy(sources.star_mag[source], sources.star_color[source], visits.band[visit])
    )
    photons = (np.abs(flux) + star) / telescope.electrons_per_njy
    error = np.sqrt(
        visits.sigma_njy[visit] ** 2
        + photons
        + (_CALIBRATION_ERROR * flux) ** 2
        + (_STAR_RESIDUAL * star) ** 2
    )
    measured = flux + error * rng.normal(size=len(flux))
    saturated = np.maximum(star + measured, star) > flux_njy_of(telescope.saturation_mag)
    detected = (np.abs(measured) >= DETECTION_SIGMA * error) & ~saturated
    return _Observed(sources, source, visit, measured, error, detected)


def _first_alerts(seen: _Observed, visits: Visits, most: int) -> _Observed:
    """The first sources that make at most ``most`` alerts together; others make none and go."""
    alerts = np.bincount(
        seen.source,
        weights=seen.detected & visits.is_tonight[seen.visit],
        minlength=len(seen.sources),
    )
    keep = (alerts > 0) & (np.cumsum(alerts) <= most)
    number = np.cumsum(keep) - 1
    points = keep[seen.source]
    return _Observed(
        seen.sources.take(keep),
        number[seen.source[points]],
        seen.visit[points],
        seen.flux[points],
        seen.error[points],
        seen.detected[points],
    )


def _assemble(
    telescope: Telescope,
    night_mjd: int,
    seed: int,
    visits: Visits,
    names: tuple[str, ...],
    parts: list[tuple[int, _Observed]],
    n_alerts: int,
) -> Night:
    sizes = [len(part.sources) for _, part in parts]
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    source = np.concatenate(
        [part.source + first for (_, part), first in zip(parts, firsts[:-1], strict=True)]
    )
    visit = np.concatenate([part.visit for _, part in parts])
    sources = Sources.concatenate([part.sources for _, part in parts])
    detected = np.concatenate([part.detected for _, part in parts])
    tonight = np.flatnonzero(detected & visits.is_tonight[visit])
    number, across, up = visits.grid.locate(sources.ra_deg, sources.dec_deg)
    del number
    detector = detector_of(telescope, across, up)[source[tonight]]
    order = np.lexsort((tonight, detector, visits.mjd_utc[visit[tonight]]))
    return Night(
        telescope=telescope,
        night_mjd=night_mjd,
        seed=seed,
        visits=visits,
        sources=sources,
        model_names=names,
        model_code=np.repeat([code for code, _ in parts], sizes),
        offsets=np.searchsorted(source, np.arange(len(sources) + 1)).astype(np.int64),
        point_source=source,
        point_visit=visit,
        flux_njy=np.concatenate([part.flux for _, part in parts]),
        flux_err_njy=np.concatenate([part.error for _, part in parts]),
        is_detected=detected,
        alert_points=tonight[order][:n_alerts],
    )


def detector_of(telescope: Telescope, across: FloatArray, up: FloatArray) -> IntArray:
    """Number of the read-out unit at a place within the field (fractions in [0, 1))."""
    column = np.minimum((across * telescope.detectors).astype(np.int64), telescope.detectors - 1)
    row = np.minimum((up * telescope.detectors).astype(np.int64), telescope.detectors - 1)
    return row * telescope.detectors + column
