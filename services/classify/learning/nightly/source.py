"""Where nights come from: alerts with features, and labels as they were known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.classify.learning.causal import LABEL_DELAY_DAYS, AlertSeason, snpcc_season
from services.classify.learning.models.base import Rows


@dataclass(frozen=True, slots=True)
class NightAlerts:
    """The newest alert of every object of a night."""

    object_id: npt.NDArray[np.str_]
    """Shape (n,)."""
    rows: Rows
    """Shape (n, features)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A class, and since when it is known."""

    class_name: str
    taken_ms: int


class NightSource(Protocol):
    """What the loop works on."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""

    def alerts(self, night: int) -> NightAlerts:
        """The night's alerts; none if there were none."""

    def labels(self, as_of_ms: int) -> Mapping[str, Known]:
        """Resolved classes by object, as they were known at Unix time ``as_of_ms``."""

    def end_ms(self, night: int) -> int:
        """Unix time, milliseconds, at which the night's work begins."""


_DAY_MS = 86_400_000
_MJD_OF_UNIX = 40_587


class SimulatedNights:
    """A season as nights: alerts as they came, a spectrum for some, ``share`` of them."""

    def __init__(
        self,
        season: AlertSeason,
        classes: tuple[str, ...],
        share: float = 0.3,
        label_delay_days: float = LABEL_DELAY_DAYS,
    ) -> None:
        self._season = season
        self.classes = classes
        self.features = tuple(f"f{k}" for k in range(season.rows.shape[1]))
        self._night = np.floor(season.mjd - 1.75 + 1e-6).astype(np.int64)
        rng = np.random.default_rng(17)
        self._has_spectrum = rng.random(len(season.label)) < share
        self._told = np.full(len(season.label), np.inf)
        np.minimum.at(self._told, season.owner, season.mjd - season.days + label_delay_days)

    @staticmethod
    def of_snpcc(data: Path) -> SimulatedNights:
        """From the data folder; raises ``FileNotFoundError``."""
        season, classes = snpcc_season(data)
        return SimulatedNights(season, classes)

    @property
    def nights(self) -> list[int]:
        """Nights with alerts, ascending."""
        return [int(night) for night in np.unique(self._night)]

    def alerts(self, night: int) -> NightAlerts:
        """The alerts of a night: one an object."""
        first, last = np.searchsorted(self._night, [night, night + 1])
        owner = self._season.owner[first:last]
        return NightAlerts(self._season.object_id[owner], self._season.rows[first:last])

    def labels(self, as_of_ms: int) -> Mapping[str, Known]:
        """Spectra taken in by then."""
        season, limit = self._season, as_of_ms / _DAY_MS + _MJD_OF_UNIX
        some = np.flatnonzero(self._has_spectrum & (self._told <= limit))
        return {
            str(season.object_id[k]): Known(
                self.classes[season.label[k]], int((self._told[k] - _MJD_OF_UNIX) * _DAY_MS)
            )
            for k in some.tolist()
        }

    def end_ms(self, night: int) -> int:
        """The next noon."""
        return int((night + 1.75 - _MJD_OF_UNIX) * _DAY_MS)
