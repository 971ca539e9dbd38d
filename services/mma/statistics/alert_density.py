"""How many new transients a night brings per square degree, measured on the alerts themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from services.mma.candidates import FIRST_DETECTION, RATE, Candidates
from services.mma.statistics.factors import FAST_MAG_PER_DAY
from shared.sky.healpix import coarser

NIGHTS_KEPT = 30
FEWEST_OBJECTS = 20
"""Below so many new objects nothing is said: the error would be above a fifth."""
_CELL_ORDER = 4
_CELL_DEG2 = 41_252.961_249_419_27 / (12 * 4**_CELL_ORDER)
_NEW_WITHIN_DAYS = 0.5


@dataclass(slots=True)
class _Night:
    cells: set[int] = field(default_factory=set)
    new_objects: set[str] = field(default_factory=set)
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

    def nights_within(self, start_mjd_tai: float, end_mjd_tai: float) -> int:
        """How many of the nights touch a window; at least one."""
        return max(
            1, sum(start_mjd_tai < night + 1 and night < end_mjd_tai for night in self.nights)
        )


NOTHING_MEASURED = Background(float("nan"), float("nan"), ())


class AlertDensity:
    """Counts of the last ``NIGHTS_KEPT`` nights.

    A new object is one whose first detection is of the same night as its alert; bodies of the
    solar system do not count. The area of a night is that of the cells of 13.4 square degrees
    from which any alert came: with only an alert or so to a cell the area is too small, and the
    density (hence every p) too large, never too small.
    """

    def __init__(self) -> None:
        self._nights: defaultdict[int, _Night] = defaultdict(_Night)
        self._measured: Background | None = NOTHING_MEASURED

    def add(self, alerts: Candidates) -> None:
        """Count the alerts of a batch; an object counts once a night, however often it comes."""
        if not len(alerts):
            return
        mjd = alerts.numbers("mjd_tai")
        night_of = np.floor(mjd).astype(np.int64)
        cells = coarser(alerts.healpix29, _CELL_ORDER)
        is_new = (mjd - alerts.numbers(FIRST_DETECTION) < _NEW_WITHIN_DAYS) & ~alerts.flags(
            "is_solar_system"
        )
        rates = alerts.numbers(RATE)
        for number in np.unique(night_of):
            night = self._nights[int(number)]
            of_night = night_of == number
            night.cells.update(np.unique(cells[of_night]).tolist())
            new = of_night & is_new
            night.new_objects.update(
                alerts.record_batch.column("object_id").filter(pa.array(new)).to_pylist()
            )
            has_rate = of_night & ~np.isnan(rates) & ~alerts.flags("is_solar_system")
            night.with_rate += int(has_rate.sum())
            night.fast += int((np.abs(rates[has_rate]) > FAST_MAG_PER_DAY).sum())
        while len(self._nights) > NIGHTS_KEPT:
            del self._nights[min(self._nights)]
        self._measured = None

    def background(self) -> Background:
        """What is measured now."""
        if self._measured is None:
            nights = self._nights.values()
            objects = sum(len(night.new_objects) for night in nights)
            area = sum(len(night.cells) for night in nights) * _CELL_DEG2
            with_rate = sum(night.with_rate for night in nights)
            fast = sum(night.fast for night in nights)
            self._measured = Background(
                objects / area if objects >= FEWEST_OBJECTS else float("nan"),
                # Laplace's rule: a share that was never seen is small, not zero.
                (fast + 1) / (with_rate + 2) if with_rate >= FEWEST_OBJECTS else float("nan"),
                tuple(sorted(self._nights)),
            )
        return self._measured
