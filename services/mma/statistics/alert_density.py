"""How many new transients a night brings per square degree, measured on the alerts themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.mma.candidates import FIRST_DETECTION, HISTORY_START, RATE, Candidates
from services.mma.statistics.factors import FAST_MAG_PER_DAY
from services.mma.statistics.footprint import CELL_DEG2, CELL_ORDER, CELLS, Footprint
from shared.sky.healpix import coarser

NIGHTS_KEPT = 30
FEWEST_OBJECTS = 20
"""Below so many new objects nothing is said: the error would be above a fifth."""
_NEW_WITHIN_DAYS = 0.5
_KNOWN_BEFORE_DAYS = 1.0
_FOOTPRINT_GROWTH = 1.1
"""The footprint is drawn anew when it has grown by so much: what follows from it is costly."""


@dataclass(slots=True)
class _Night:
    observed: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(CELLS, dtype=bool))
    new_objects: dict[str, int] = field(default_factory=dict)
    """Their cells."""
    fast: int = 0
    with_rate: int = 0


@dataclass(frozen=True, slots=True)
class Background:
    """What has been measured, at one moment."""

    per_deg2_night: float
    """New objects per square degree observed and night; NaN before enough were seen."""
    fast_share: float
    """Of the alerts whose change is known, those above 0.3 mag/d; NaN before enough were seen."""
    nights: tuple[int, ...]
    """MJD of the nights that alerts have come from."""
    footprint: Footprint | None = None
    """Where the survey looked on those nights; None before enough was seen."""


NOTHING_MEASURED = Background(float("nan"), float("nan"), ())


class AlertDensity:
    """Counts of the last ``NIGHTS_KEPT`` nights.

    A new object is one whose first detection is of the same night as its alert and of which the
    survey knew nothing before: whatever did shine before is vetoed, and no candidate. Bodies of
    the solar system do not count. The area of a night is that of the cells of 13.4 square degrees
    from which any alert came: with only an alert or so to a cell the area is too small, and the
    density (hence every p) too large, never too small.
    """

    def __init__(self) -> None:
        self._nights: defaultdict[int, _Night] = defaultdict(_Night)
        self._measured: Background | None = NOTHING_MEASURED
        self._footprint: Footprint | None = None
        self._footprint_size = 0

    def add(self, alerts: Candidates) -> None:
        """Count the alerts of a batch; an object counts once a night, however often it comes."""
        if not len(alerts):
            return
        mjd = alerts.numbers("mjd_tai")
        night_of = np.floor(mjd).astype(np.int64)
        cells = coarser(alerts.healpix29, CELL_ORDER)
        is_body = alerts.flags("is_solar_system")
        with np.errstate(invalid="ignore"):
            was_known = alerts.numbers(HISTORY_START) < mjd - _KNOWN_BEFORE_DAYS
        is_new = (mjd - alerts.numbers(FIRST_DETECTION) < _NEW_WITHIN_DAYS) & ~is_body & ~was_known
        rates = alerts.numbers(RATE)
        names = alerts.record_batch.column("object_id")
        for number in np.unique(night_of):
            night = self._nights[int(number)]
            of_night = night_of == number
            night.observed[cells[of_night]] = True
            for row in np.flatnonzero(of_night & is_new).tolist():
                night.new_objects.setdefault(str(names[row]), int(cells[row]))
            has_rate = of_night & ~np.isnan(rates) & ~is_body
            night.with_rate += int(has_rate.sum())
            night.fast += int((np.abs(rates[has_rate]) > FAST_MAG_PER_DAY).sum())
        while len(self._nights) > NIGHTS_KEPT:
            del self._nights[min(self._nights)]
            self._footprint_size = 0
        self._measured = None

    def background(self) -> Background:
        """What is measured now."""
        if self._measured is None:
            nights = self._nights.values()
            objects = sum(len(night.new_objects) for night in nights)
            observed = sum(int(night.observed.sum()) for night in nights)
            with_rate = sum(night.with_rate for night in nights)
            fast = sum(night.fast for night in nights)
            is_enough = objects >= FEWEST_OBJECTS
            self._measured = Background(
                objects / (observed * CELL_DEG2) if is_enough else float("nan"),
                # Laplace's rule: a share that was never seen is small, not zero.
                (fast + 1) / (with_rate + 2) if with_rate >= FEWEST_OBJECTS else float("nan"),
                tuple(sorted(self._nights)),
                self._drawn(observed + objects) if is_enough else None,
            )
        return self._measured

    def _drawn(self, size: int) -> Footprint:
        if self._footprint is None or size > self._footprint_size * _FOOTPRINT_GROWTH:
            numbers = sorted(self._nights)
            nights = [self._nights[number] for number in numbers]
            self._footprint_size = size
            self._footprint = Footprint(
                nights=np.array(numbers, dtype=np.int64),
                observed=np.stack([night.observed for night in nights]),
                new_objects=np.stack([
                    np.bincount(list(night.new_objects.values()), minlength=CELLS)
                    if night.new_objects else np.zeros(CELLS, dtype=np.int64)
                    for night in nights]),
            )  # fmt: skip
        return self._footprint
