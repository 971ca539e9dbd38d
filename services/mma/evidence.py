"""What speaks for and against each pair: factors, chance, false alarm rate, tier, as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from services.mma.candidates import (
    DISTANCE,
    DISTANCE_ERROR,
    FIRST_DETECTION,
    HISTORY_START,
    LAST_NON_DETECTION,
    RATE,
    Candidates,
)
from services.mma.events import ActiveEvent, Snapshot
from services.mma.matches import Matches
from services.mma.skymaps.base import CellArray
from services.mma.skymaps.multi_order import MultiOrderMap
from services.mma.skymaps.volume import volume_levels_by_table
from services.mma.statistics import alert_density, chance, factors
from services.mma.statistics.alert_density import Background
from services.mma.statistics.fink_legacy import (
    BURSTS_PER_YEAR,
    ZTF_SKY_FRACTION,
    fink_legacy,
)

FloatArray = npt.NDArray[np.float64]
SHARP_AREA_DEG2 = math.pi / 3600.0
"""Of a circle of one arcminute."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The density of new transients, of real and of simulated alerts apart."""

    real: Background
    simulated: Background


NOTHING_MEASURED = Measured(alert_density.NOTHING_MEASURED, alert_density.NOTHING_MEASURED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Arrays of shape (m,), one entry for each pair; NaN where something is not known.

    Names and meanings are those of ``Association``.
    """

    density_per_sr: FloatArray
    searched_area_deg2: FloatArray
    volume_level: FloatArray
    ln_bayes_spatial: FloatArray
    ln_bayes_temporal: FloatArray
    ln_bayes_distance: FloatArray
    ln_bayes_class: FloatArray
    ln_bayes: FloatArray
    ln_bayes_astro: FloatArray
    background_per_deg2_night: FloatArray
    expected_chance_count: FloatArray
    p_local: FloatArray
    p_global: FloatArray
    joint_far_hz: FloatArray
    fink_legacy: FloatArray
    tier: list[str]

    def said(self) -> list[dict[str, object]]:
        """The entries of every pair by name, None for NaN; columns at once, for speed."""
        arrays = [getattr(self, name) for name in _NUMBERS]
        columns = [[None if v != v else v for v in values.tolist()] for values in arrays]  # noqa: PLR0124 - NaN is not itself
        names = ("tier", "trials", *_NUMBERS)
        trials = [chance.TRIALS] * len(self.tier)
        return [
            dict(zip(names, row, strict=True))
            for row in zip(self.tier, trials, *columns, strict=True)
        ]


_READ = ("ra_deg", "dec_deg", DISTANCE, DISTANCE_ERROR, FIRST_DETECTION, HISTORY_START,
         LAST_NON_DETECTION, RATE)  # fmt: skip
_NUMBERS = tuple(field.name for field in fields(Evidence) if field.name != "tier")


def weigh(
    candidates: Candidates, snapshot: Snapshot, matches: Matches, measured: Measured
) -> Evidence:
    """Weigh every pair of ``matches``."""
    given = {name: np.full(len(matches), np.nan) for name in _NUMBERS}
    tier = ["unranked"] * len(matches)
    is_simulated = candidates.flags("is_simulated")[matches.row]
    columns = {name: candidates.numbers(name) for name in _READ} if len(matches) else {}
    cells = candidates.healpix29
    for index in np.unique(matches.event):
        event = snapshot.events[int(index)]
        for simulated, background in ((False, measured.real), (True, measured.simulated)):
            pairs = np.flatnonzero((matches.event == index) & (is_simulated == simulated))
            if len(pairs):
                said, tiers = _weigh_event(columns, cells, event, matches, pairs, background)
                for name, values in said.items():
                    given[name][pairs] = values
                for pair, name in zip(pairs.tolist(), tiers, strict=True):
                    tier[pair] = name
    return Evidence(tier=tier, **given)


def _weigh_event(
    columns: Mapping[str, FloatArray],
    healpix29: CellArray,
    event: ActiveEvent,
    matches: Matches,
    pairs: npt.NDArray[np.intp],
    background: Background,
) -> tuple[dict[str, FloatArray], list[str]]:
    rows = matches.row[pairs]
    given = {name: values[rows] for name, values in columns.items()}
    cells = healpix29[rows]
    said = _factors(given, cells, event, background)
    start = event.window_start_mjd_tai
    mu = np.full(len(pairs), np.nan)
    if background.footprint is not None:
        mu = background.footprint.expected_counts(
            event.region,
            (start, event.window_end_mjd_tai),
            matches.credible_level[pairs],
            said["searched_area_deg2"],
            cells,
        )
    p_local = chance.p_local(mu)
    p_global = chance.p_global(p_local)
    notice = event.notice
    rate = chance.event_rate_hz(notice.notice_type, notice.classification, notice.far_hz)
    said |= {
        "background_per_deg2_night": np.full(len(pairs), background.per_deg2_night),
        "expected_chance_count": mu,
        "p_local": p_local,
        "p_global": p_global,
        "joint_far_hz": rate * p_local,
        "ln_bayes_astro": factors.ln_if_astrophysical(said["ln_bayes"], notice.p_astro),
        "fink_legacy": _fink_legacy(event, matches.time_offset_days[pairs]),
    }
    with np.errstate(invalid="ignore"):
        fast = np.abs(given[RATE]) > factors.FAST_MAG_PER_DAY
        prior = given[HISTORY_START] < start
    is_sharp = event.region.searched_area_deg2(0.9) <= SHARP_AREA_DEG2
    tiers = chance.tiers(p_local, p_global, prior, fast | is_sharp)
    if notice.vetoes:
        # The event itself is doubted by its own author: nothing of it is worth a telescope.
        tiers = [tier if tier == "vetoed" else "unranked" for tier in tiers]
    return said, tiers


def _factors(
    given: Mapping[str, FloatArray], cells: CellArray, event: ActiveEvent, background: Background
) -> dict[str, FloatArray]:
    places = (given["ra_deg"], given["dec_deg"], cells)
    density = event.region.densities_per_sr(*places)
    distance = given[DISTANCE]
    volume = ln_distance = np.full(len(cells), np.nan)
    region = event.region
    if isinstance(region, MultiOrderMap) and region.layers is not None:
        volume = volume_levels_by_table(region, cells, distance)
        at = region.layers.rows(region.rows(cells))
        error = given[DISTANCE_ERROR]
        ln_distance = factors.ln_distance(
            at.mu_mpc, at.sigma_mpc, at.norm_per_mpc2, distance, error
        )
    messenger = event.notice.messenger
    parts = {
        "ln_bayes_spatial": factors.ln_spatial(density),
        "ln_bayes_temporal": factors.ln_temporal(
            factors.DELAYS[messenger],
            np.full(len(cells), event.notice.event_mjd_tai),
            given[LAST_NON_DETECTION],
            given[FIRST_DETECTION],
            np.full(len(cells), event.window_start_mjd_tai),
            np.full(len(cells), event.window_end_mjd_tai),
        ),
        "ln_bayes_distance": ln_distance,
        "ln_bayes_class": factors.ln_class(messenger, given[RATE], background.fast_share),
    }
    return {
        "density_per_sr": density,
        "searched_area_deg2": event.region.searched_areas_deg2(*places),
        "volume_level": volume,
        **parts,
        "ln_bayes": factors.ln_total(*parts.values()),
    }


def _fink_legacy(event: ActiveEvent, offset_days: FloatArray) -> FloatArray:
    """Fink's statistic, for the missions and circles it is defined for; NaN elsewhere."""
    place, bursts = event.notice.localization, BURSTS_PER_YEAR.get(event.notice.notice_type)
    if bursts is None or place is None or place.kind != "circle" or place.radius_deg is None:
        return np.full(len(offset_days), np.nan)
    radius = place.radius_deg
    return np.array(
        [
            fink_legacy(bursts * ZTF_SKY_FRACTION, days, radius) if days > 0 else float("nan")
            for days in offset_days.tolist()
        ]
    )
