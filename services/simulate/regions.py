"""Where an event may be: an error circle, or a gravitational-wave sky map."""

from __future__ import annotations

import base64
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from shared.light_curves.photometry import SECONDS_PER_DAY, mjd_tai_of_utc
from shared.sky.healpix import compress_bits, healpix29_of
from shared.sky.separation import separation_arcsec

FloatArray = npt.NDArray[np.float64]

_CREDIBLE_LEVEL = 0.5
"""Plants lie within the smallest region of this probability."""
_MAX_NOTICE_BYTES = 32 << 20
_WITHIN_RADIUS = 0.7


class Region(Protocol):
    """A part of the sky."""

    def contains(self, ra_deg: FloatArray, dec_deg: FloatArray) -> npt.NDArray[np.bool_]:
        """Which ICRS positions (degrees, shape (n,)) lie inside."""
        ...

    def sample(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` ICRS positions inside, in degrees."""
        ...


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the sky; plants lie within 0.7 of its radius."""

    ra_deg: float
    dec_deg: float
    radius_deg: float

    def contains(self, ra_deg: FloatArray, dec_deg: FloatArray) -> npt.NDArray[np.bool_]:
        """Which positions lie within 0.7 radius."""
        away = separation_arcsec(self.ra_deg, self.dec_deg, ra_deg, dec_deg)
        return np.asarray(away < _WITHIN_RADIUS * self.radius_deg * 3600.0)

    def sample(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Positions uniform over the circle."""
        reach = np.radians(_WITHIN_RADIUS * self.radius_deg)
        distance = np.arccos(1.0 - rng.random(n) * (1.0 - np.cos(reach)))
        angle = rng.uniform(0.0, 2.0 * np.pi, n)
        dec0 = np.radians(self.dec_deg)
        sine = np.sin(dec0) * np.cos(distance) + np.cos(dec0) * np.sin(distance) * np.cos(angle)
        dec = np.arcsin(np.clip(sine, -1.0, 1.0))
        turn = np.arctan2(
            np.sin(angle) * np.sin(distance) * np.cos(dec0), np.cos(distance) - np.sin(dec0) * sine
        )
        return (self.ra_deg + np.degrees(turn)) % 360.0, np.degrees(dec)


@dataclass(frozen=True, slots=True)
class SkyMap:
    """The cells of a multi-order map that make its 50 % credible region, by order-29 cell."""

    first_cell: npt.NDArray[np.int64]
    """First order-29 cell of each cell, ascending."""
    last_cell: npt.NDArray[np.int64]
    probability: FloatArray

    def contains(self, ra_deg: FloatArray, dec_deg: FloatArray) -> npt.NDArray[np.bool_]:
        """Which positions lie in the 50 % credible region."""
        cells = healpix29_of(ra_deg, dec_deg)
        row = np.clip(np.searchsorted(self.first_cell, cells, side="right") - 1, 0, None)
        return np.asarray((cells >= self.first_cell[row]) & (cells <= self.last_cell[row]))

    def sample(self, rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
        """Positions drawn by probability."""
        rows = rng.choice(len(self.probability), n, p=self.probability / self.probability.sum())
        width = self.last_cell[rows] - self.first_cell[rows] + 1
        return positions_of29(self.first_cell[rows] + (rng.random(n) * width).astype(np.int64))


@dataclass(frozen=True, slots=True)
class SkyEvent:
    """Something that happened: when, and where it may be."""

    name: str
    mjd_tai: float
    region: Region


def positions_of29(cells: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """ICRS degrees of the middles of nested order-29 HEALPix cells (Górski et al. 2005)."""
    nside = 1 << 29
    face = cells >> 58
    inside = cells & ((1 << 58) - 1)
    x = np.array([compress_bits(int(cell)) for cell in inside], dtype=np.float64) + 0.5
    y = np.array([compress_bits(int(cell) >> 1) for cell in inside], dtype=np.float64) + 0.5
    row = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])[face]
    column = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])[face]
    ring = row - (x + y) / nside  # from the north pole, 0 to 4
    to_pole = np.minimum(ring, 4.0 - ring)
    polar = to_pole < 1.0
    z = np.where(polar, 1.0 - to_pole**2 / 3.0, 0.0)
    z = np.where(polar, np.where(ring > 2.0, -z, z), (2.0 - ring) * 2.0 / 3.0)
    spread = np.where(polar, np.maximum(to_pole, 1e-12), 1.0)
    ra = (column + (x - y) / nside / spread) * 45.0
    return ra % 360.0, np.degrees(np.arcsin(z))


def event_of_position(text: str) -> SkyEvent:
    """The event of ``RA,DEC,RADIUS_DEG,MJD`` (ICRS degrees, MJD UTC).

    Raises
    ------
    ValueError
        If ``text`` is not four numbers that make sense.
    """
    try:
        ra, dec, radius, mjd = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"{text!r} is not RA,DEC,RADIUS_DEG,MJD") from error
    if not (0.0 <= ra < 360.0 and -90.0 <= dec <= 90.0 and 0.0 < radius < 90.0 and mjd > 41_317):
        raise ValueError(f"{text!r}: RA 0 to 360, Dec -90 to 90, radius 0 to 90 degrees, MJD UTC")
    return SkyEvent("position", float(mjd_tai_of_utc(mjd)), Circle(ra, dec, radius))


def event_of_notice(path: Path) -> SkyEvent:
    """The event of a JSON notice, also .gz: LVK's sky map, or the unified GCN schema's circle.

    Raises
    ------
    ValueError
        If the file holds neither.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        raw = file.read(_MAX_NOTICE_BYTES + 1)
    if len(raw) > _MAX_NOTICE_BYTES:
        raise ValueError(f"{path} is larger than {_MAX_NOTICE_BYTES >> 20} MB")
    notice = orjson.loads(raw)
    event = notice.get("event") or {}
    if event.get("skymap"):
        region: Region = _sky_map(base64.b64decode(event["skymap"]))
        return SkyEvent(str(notice.get("superevent_id")), _mjd_tai(event["time"]), region)
    time = notice.get("trigger_time") or notice.get("alert_datetime")
    if time and {"ra", "dec"} <= notice.keys():
        error = notice.get("ra_dec_error", 0.5)
        radius = max(error) if isinstance(error, list) else float(error)
        region = Circle(float(notice["ra"]), float(notice["dec"]), max(radius, 0.02))
        name = notice.get("event_name") or notice.get("id") or path.stem
        return SkyEvent(str(name[0] if isinstance(name, list) else name), _mjd_tai(time), region)
    raise ValueError(f"{path} has neither event.skymap nor ra, dec and trigger_time")


def _mjd_tai(iso_utc: str) -> float:
    moment = np.datetime64(iso_utc.rstrip("Z"), "us")
    days = (moment - np.datetime64("1858-11-17T00:00:00", "us")) / np.timedelta64(1, "us")
    return float(mjd_tai_of_utc(float(days) / 1e6 / SECONDS_PER_DAY))


def _sky_map(fits_bytes: bytes) -> SkyMap:
    from astropy.io import fits  # noqa: PLC0415 - only events with maps need astropy

    with fits.open(io.BytesIO(fits_bytes)) as files:
        table: Any = files[1].data
        if "UNIQ" not in table.names:
            raise ValueError("the sky map is not multi-order (no UNIQ column)")
        uniq = np.asarray(table["UNIQ"], dtype=np.int64)
        density = np.asarray(table["PROBDENSITY"], dtype=np.float64)
    order = np.floor(np.log2(uniq / 4.0) / 2.0).astype(np.int64)
    probability = density * 4.0 * np.pi / (12.0 * 4.0**order)
    ranked = np.argsort(-density, kind="stable")
    within = np.cumsum(probability[ranked]) <= _CREDIBLE_LEVEL
    within[0] = True
    rows = ranked[within]
    cell = uniq[rows] - 4 * 4 ** order[rows]
    shift = 2 * (29 - order[rows])
    first = cell << shift
    last = ((cell + 1) << shift) - 1
    along = np.argsort(first)
    return SkyMap(first[along], last[along], probability[rows][along])
