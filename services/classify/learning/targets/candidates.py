"""The pool a night's targets are chosen from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MAGNITUDE_BIN = 1.0
"""Width of the magnitude bins that quotas count by."""
REGION_BANDS = 4
"""Regions of equal area: so many bands of declination times six of right ascension."""
_FADE_LIMIT_MAG_PER_DAY = 0.5


@dataclass(frozen=True, slots=True)
class Candidates:
    """Objects that are followed, shape (n,) each unless said otherwise."""

    object_id: npt.NDArray[np.str_]
    survey: npt.NDArray[np.str_]
    ra_deg: Floats
    dec_deg: Floats
    mag_now: Floats
    """AB, of the newest detection."""
    mag_per_day: Floats
    """Slope of the magnitude, positive fades; NaN if not known."""
    mjd_now: Floats
    """Of the newest detection, TAI."""
    band: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    probabilities: Floats
    """Shape (n, classes)."""
    information: Floats
    """How much its class would teach, in [0, 1]: a query strategy's score."""
    is_simulated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.object_id)

    def of(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Candidates:
        """Some of them, in the order given."""
        per_object = {
            name: getattr(self, name)[keep] for name in self.__slots__ if name != "classes"
        }
        return replace(self, **per_object)

    def mag_at(self, mjd: Floats) -> Floats:
        """Magnitude expected at ``mjd``, shape (n,): the slope goes on, within limits, a week."""
        slope = np.clip(
            np.nan_to_num(self.mag_per_day), -_FADE_LIMIT_MAG_PER_DAY, _FADE_LIMIT_MAG_PER_DAY
        )
        return np.asarray(self.mag_now + slope * np.clip(mjd - self.mjd_now, 0.0, 7.0))

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """Index of the most probable class."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def strata(self, mag: Floats) -> list[tuple[str, str, str]]:
        """Class, magnitude bin and sky region of each at magnitudes ``mag``: what quotas count."""
        names = [self.classes[k] for k in self.predicted.tolist()]
        floor = np.floor(mag / MAGNITUDE_BIN) * MAGNITUDE_BIN
        bins = [f"{m:.0f}-{m + MAGNITUDE_BIN:.0f}" for m in floor.tolist()]
        band = np.clip(
            ((np.sin(np.radians(self.dec_deg)) + 1.0) / 2.0 * REGION_BANDS).astype(int),
            0, REGION_BANDS - 1,
        )  # fmt: skip
        regions = [f"r{b}{int(ra // 60)}" for b, ra in zip(band, self.ra_deg, strict=True)]
        return list(zip(names, bins, regions, strict=True))

    def places(self) -> Floats:
        """Where they are for the question how alike two are, shape (n, dimensions)."""
        mag = np.nan_to_num(self.mag_now, nan=20.0)[:, None]
        return np.concatenate([2.0 * self.probabilities, mag / 2.0], axis=1)
