"""The plan of a night and of the thirty before it: which field, when, in which band, how deep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.simulate.fields import FieldGrid, FloatArray, IntArray
from services.simulate.telescopes import Telescope
from shared.archive.nights import night_date
from shared.light_curves.bands import BAND_CODES, BANDS
from shared.light_curves.photometry import SECONDS_PER_DAY, flux_njy_of, mjd_tai_of_utc

HISTORY_DAYS = 30
_HALF_NIGHT_DAYS = 0.17
_MIN_ALTITUDE_DEG = 33.0
_CLEAR_AFTER_CLEAR, _CLEAR_AFTER_CLOUD = 0.8, 0.45
"""Weather comes in spells: probabilities that a night is clear."""
_FAINTEST_MOON_LOSS_MAG = {"u": 1.2, "g": 1.0, "r": 0.6, "i": 0.3, "z": 0.15, "y": 0.1}
"""Depth lost at full moon, each band."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Exposures of ``k`` fields, in order of field and time; field ``i`` is one slice."""

    grid: FieldGrid
    fields: IntArray
    """Shape (k,): numbers in the grid, ascending."""
    offsets: IntArray
    """Shape (k+1,): field ``i`` has the visits ``offsets[i]:offsets[i+1]``."""
    mjd_utc: FloatArray
    """Start of the exposure, whole seconds."""
    mjd_tai: FloatArray
    """Middle of the exposure."""
    band: npt.NDArray[np.int8]
    depth_mag: FloatArray
    """5-sigma limiting magnitude, AB."""
    fwhm_arcsec: FloatArray
    is_tonight: npt.NDArray[np.bool_]
    is_target: npt.NDArray[np.bool_]
    """A target-of-opportunity exposure."""

    @property
    def sigma_njy(self) -> FloatArray:
        """One-sigma noise of an empty place, nanojansky."""
        return flux_njy_of(self.depth_mag) / 5.0

    def index_of(self, ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> IntArray:
        """Which of the ``k`` fields holds each position; -1 if none does."""
        number, _, _ = self.grid.locate(ra_deg, dec_deg)
        place = np.minimum(np.searchsorted(self.fields, number), len(self.fields) - 1)
        return np.where(self.fields[place] == number, place, -1)


def altitude_deg(
    telescope: Telescope, mjd_utc: npt.ArrayLike, ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike
) -> FloatArray:
    """Altitude over the telescope's horizon, degrees; arguments broadcast.

    The Earth's rotation angle after the IAU 2000 definition; precession since J2000 is ignored.
    """
    days = np.asarray(mjd_utc, dtype=np.float64) - 51544.5
    turn = 280.46061837 + 360.98564736629 * days + telescope.longitude_deg
    hour_angle = np.radians(turn - np.asarray(ra_deg, dtype=np.float64))
    latitude, dec = np.radians(telescope.latitude_deg), np.radians(np.asarray(dec_deg))
    sine = np.sin(latitude) * np.sin(dec) + np.cos(latitude) * np.cos(dec) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))), dtype=np.float64)


def midnight_mjd_utc(telescope: Telescope, night_mjd: int) -> float:
    """Local midnight of the night whose UTC date at midnight is ``night_mjd``."""
    return night_mjd - telescope.longitude_deg / 360.0


def hours_of(telescope: Telescope, night_mjd: int) -> FloatArray:
    """The night in 49 steps, MJD UTC."""
    span = np.linspace(-_HALF_NIGHT_DAYS, _HALF_NIGHT_DAYS, 49)
    return midnight_mjd_utc(telescope, night_mjd) + span


def visible_at(
    telescope: Telescope, night_mjd: int, ra_deg: FloatArray, dec_deg: FloatArray
) -> npt.NDArray[np.bool_]:
    """Which positions stand high enough at each step of the night, shape (n, 49)."""
    hours = hours_of(telescope, night_mjd)
    return altitude_deg(telescope, hours, ra_deg[:, None], dec_deg[:, None]) > _MIN_ALTITUDE_DEG


def plan_visits(
    telescope: Telescope,
    night_mjd: int,
    rng: np.random.Generator,
    n_fields: int,
    targets: Sequence[tuple[float, float]] = (),
    targets_after_mjd: float = 0.0,
) -> Visits:
    """Choose fields for the night and lay out their visits, history included.

    Parameters
    ----------
    n_fields
        How many fields are seen this night, at most as many as are visible.
    targets
        ICRS positions in degrees whose fields are seen four times, as targets of opportunity.
    targets_after_mjd
        Those fields are seen no earlier than this, MJD UTC.

    Raises
    ------
    ValueError
        If a target does not rise high enough that night.
    """
    grid = FieldGrid(telescope.field_step_deg)
    center_ra, center_dec = grid.centers()
    visible = visible_at(telescope, night_mjd, center_ra, center_dec)
    good = np.flatnonzero(visible.sum(axis=1) >= 8)
    wanted = np.unique([int(grid.locate([ra], [dec])[0][0]) for ra, dec in targets]).astype(int)
    visible[wanted] &= hours_of(telescope, night_mjd) > targets_after_mjd
    for field in wanted:
        if visible[field].sum() < 4:
            raise ValueError(
                f"the target at RA {center_ra[field]:.1f}, Dec {center_dec[field]:.1f} is too low "
                f"for {telescope.survey} in the night from the evening of "
                f"{night_date(night_mjd - 1)}; take another night or survey"
            )
    free = rng.permutation(np.setdiff1d(good, wanted))[: max(0, n_fields - len(wanted))]
    fields = np.sort(np.concatenate([wanted, free])).astype(np.int64)
    columns = _lay_out(telescope, night_mjd, rng, fields, visible[fields], np.isin(fields, wanted))
    return _in_order(telescope, rng, grid, fields, columns)


_Columns = tuple[list[int], list[float], list[int], list[bool], list[bool]]


def _lay_out(
    telescope: Telescope,
    night_mjd: int,
    rng: np.random.Generator,
    fields: IntArray,
    visible: npt.NDArray[np.bool_],
    is_target: npt.NDArray[np.bool_],
) -> _Columns:
    """Unordered visits: place of the field, start, band, tonight, target."""
    place: list[int] = []
    mjd: list[float] = []
    band: list[int] = []
    tonight: list[bool] = []
    target: list[bool] = []
    hours = hours_of(telescope, night_mjd)
    clear = _weather(rng)
    for i in range(len(fields)):
        usable = np.flatnonzero(visible[i])
        first = float(hours[usable[rng.integers(0, max(1, len(usable) - 6))]])
        for day in range(HISTORY_DAYS, -1, -1):
            if day and not (clear[day] and rng.random() < telescope.revisit_probability):
                continue
            again = 2 if is_target[i] and day == 0 else 1
            pair: tuple[str, ...]
            pair = telescope.band_pairs[rng.integers(len(telescope.band_pairs))]
            if again > 1:  # targets of opportunity are blue and fade: both surveys take g and r
                pair = ("g", "r") * again
            # The same hour angle comes four minutes later for each day back.
            later = min(first + 0.00273 * day, float(hours[-1]))
            start = later - day + rng.normal(0.0, 0.004)
            gap = rng.uniform(0.02, 0.035)
            for k, name in enumerate(pair):
                place.append(i)
                mjd.append(start + k * gap)
                band.append(BAND_CODES[name])
                tonight.append(day == 0)
                target.append(bool(is_target[i]) and day == 0)
    return place, mjd, band, tonight, target


def _weather(rng: np.random.Generator) -> list[bool]:
    clear = [True]
    for _ in range(HISTORY_DAYS):
        chance = _CLEAR_AFTER_CLEAR if clear[-1] else _CLEAR_AFTER_CLOUD
        clear.append(bool(rng.random() < chance))
    return clear


def _in_order(
    telescope: Telescope,
    rng: np.random.Generator,
    grid: FieldGrid,
    fields: IntArray,
    columns: _Columns,
) -> Visits:
    place = np.array(columns[0], dtype=np.int64)
    wish = np.array(columns[1])
    band = np.array(columns[2], dtype=np.int8)
    start = np.round(wish * SECONDS_PER_DAY) / SECONDS_PER_DAY
    tonight = np.array(columns[3])
    # One telescope: tonight's exposures queue up, each a slot after the one before at least.
    queue = np.flatnonzero(tonight)[np.argsort(wish[tonight], kind="stable")]
    slot_days = telescope.slot_s / SECONDS_PER_DAY
    slots = np.arange(len(queue)) * slot_days
    queued = np.maximum.accumulate(wish[queue] - slots) + slots
    start[queue] = np.round(queued * SECONDS_PER_DAY) / SECONDS_PER_DAY
    order = np.lexsort((start, place))
    place, start, band = place[order], start[order], band[order]
    seeing = np.exp(rng.normal(0.0, 0.18, len(place)))
    moon = _moon_illumination(start)
    dark = np.array([telescope.depth_mag.get(name, np.nan) for name in BANDS])
    loss = np.array([_FAINTEST_MOON_LOSS_MAG[name] for name in BANDS])
    depth = dark[band] - loss[band] * moon**2 - 2.5 * np.log10(seeing)
    depth -= np.abs(rng.normal(0.0, 0.12, len(place)))
    return Visits(
        grid=grid,
        fields=fields,
        offsets=np.searchsorted(place, np.arange(len(fields) + 1)).astype(np.int64),
        mjd_utc=start,
        mjd_tai=mjd_tai_of_utc(start + telescope.exposure_s / 2 / SECONDS_PER_DAY),
        band=band,
        depth_mag=depth,
        fwhm_arcsec=telescope.fwhm_arcsec * seeing,
        is_tonight=tonight[order],
        is_target=np.array(columns[4])[order],
    )


def _moon_illumination(mjd_utc: FloatArray) -> FloatArray:
    """Lit fraction of the moon's disc: mean synodic month from the new moon of 2000-01-06."""
    age = ((mjd_utc - 51549.76) / 29.530588853) % 1.0
    return np.asarray((1.0 - np.cos(2.0 * np.pi * age)) / 2.0, dtype=np.float64)
