"""The contract of a survey's packets, and what both surveys need to write theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.simulate.cutouts import FIELD_STARS, Scenes, draw_noise_starts
from services.simulate.models.base import FloatArray, IntArray
from services.simulate.models.spectra import STAR_COLOR_SLOPE, star_flux_njy
from services.simulate.population import Night
from shared.light_curves.photometry import flux_njy_of

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class SimulatedPacket:
    """One packet, as it goes on the survey's topic."""

    payload: bytes
    alert_id: int
    object_id: str
    source: int
    """Index of the source in the night."""
    visit: int
    """Index of the exposure: packets of one exposure come in one burst."""


class PacketWriter(Protocol):
    """Writes the alerts of one night as packets of one survey."""

    @property
    def file_suffix(self) -> str:
        """Ending of a packet's file: ``.avro`` or ``.bin``."""
        ...

    def write(self, alerts: IntArray) -> Sequence[SimulatedPacket]:
        """Packets of the alerts numbered ``alerts`` (0 is the night's first), in order."""
        ...


def mix(value: int) -> int:
    """A 64-bit number scattered over all 64-bit numbers (splitmix64, Steele et al. 2014)."""
    z = (value + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def night_hash(night: Night) -> int:
    """64 bits that tell seed and night from all others: the root of every identifier."""
    return mix(mix(night.seed & _MASK) ^ night.night_mjd)


def uniform(rows: IntArray, salt: int) -> FloatArray:
    """A number in (0, 1) for each row, the same whenever it is asked: shape of ``rows``."""
    z = rows.astype(np.uint64) + np.uint64(mix(salt))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)).astype(np.float64) + 0.5) / float(1 << 53)


def normal(rows: IntArray, salt: int) -> FloatArray:
    """A standard normal for each row (Box-Muller), the same whenever it is asked."""
    radius = np.sqrt(-2.0 * np.log(uniform(rows, 2 * salt)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(rows, 2 * salt + 1)))


def history_rows(night: Night, points: IntArray) -> tuple[IntArray, IntArray]:
    """The points of each alert's source before it: flat, and the offsets of each alert."""
    first = night.offsets[night.point_source[points]]
    counts = points - first
    offsets = np.concatenate([[0], np.cumsum(counts)])
    flat = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - first, counts)
    return flat.astype(np.int64), offsets.astype(np.int64)


def measured_positions(night: Night, points: IntArray) -> tuple[FloatArray, FloatArray]:
    """ICRS degrees where each detection was measured: the true place and centroid noise."""
    source = night.point_source[points]
    fwhm = night.visits.fwhm_arcsec[night.point_visit[points]]
    snr = np.maximum(np.abs(night.flux_njy[points]) / night.flux_err_njy[points], 1.0)
    sigma = np.hypot(fwhm / (2.355 * snr), 0.03 * night.telescope.pixel_arcsec) / 3600.0
    dec = night.sources.dec_deg[source] + sigma * normal(points, 11)
    ra = night.sources.ra_deg[source] + sigma * normal(points, 12) / np.cos(np.radians(dec))
    return ra % 360.0, np.clip(dec, -90.0, 90.0)


def reference_mags(night: Night, points: IntArray) -> FloatArray:
    """Magnitude of the star, else the host, of each point's source in the point's band; NaN."""
    source = night.point_source[points]
    slope = STAR_COLOR_SLOPE[night.visits.band[night.point_visit[points]]]
    star = night.sources.star_mag[source] + night.sources.star_color[source] * slope
    host = night.sources.host_mag[source] + 0.65 * slope
    return np.where(np.isnan(star), host, star)


def scenes_of(
    night: Night, points: IntArray, njy_per_unit: npt.NDArray[np.float64] | float, sky: float
) -> Scenes:
    """What the cutouts of the alerts at ``points`` show, fluxes in units of ``njy_per_unit``."""
    source, visit = night.point_source[points], night.point_visit[points]
    s, telescope = night.sources.take(source), night.telescope
    band = night.visits.band[visit]
    fwhm = night.visits.fwhm_arcsec[visit] / telescope.pixel_arcsec
    # The noise of a PSF flux gathers over an area of 4 pi sigma^2 pixels.
    noise = night.visits.sigma_njy[visit] / (2.0 * np.sqrt(np.pi) * fwhm / 2.355)
    n = len(points)
    host_slope = 0.65 * STAR_COLOR_SLOPE[band]
    stars = np.empty((n, FIELD_STARS, 3))
    half = 45.0
    for k in range(FIELD_STARS):
        stars[:, k, 0] = (uniform(source, 31 + k) - 0.5) * 2.0 * half
        stars[:, k, 1] = (uniform(source, 41 + k) - 0.5) * 2.0 * half
        bright, faint = telescope.star_mag_range
        faint_end = faint + 2.5 - (faint - bright) * 0.22 * -np.log(uniform(source, 51 + k))
        stars[:, k, 2] = flux_njy_of(np.maximum(faint_end, bright)) / njy_per_unit
    # Nothing may lie on the source itself but what the model put there.
    near = np.hypot(stars[:, :, 0], stars[:, :, 1]) < 4.0 * fwhm[:, None]
    stars[:, :, 2] = np.where(near, 0.0, stars[:, :, 2])
    rng = np.random.default_rng([night.seed, night.night_mjd, int(points[0]) if n else 0])
    return Scenes(
        flux=night.flux_njy[points] / njy_per_unit,
        star=np.nan_to_num(star_flux_njy(s.star_mag, s.star_color, band)) / njy_per_unit,
        host=np.nan_to_num(flux_njy_of(s.host_mag + host_slope)) / njy_per_unit,
        host_x=s.host_east_arcsec / telescope.pixel_arcsec,
        host_y=s.host_north_arcsec / telescope.pixel_arcsec,
        host_radius=np.maximum(s.host_radius_arcsec / telescope.pixel_arcsec, 0.4 * fwhm),
        host_axis_ratio=s.host_axis_ratio,
        host_angle_rad=np.radians(s.host_angle_deg),
        fwhm=fwhm,
        pixel_noise=noise / njy_per_unit,
        gain=np.full(n, telescope.electrons_per_njy) * njy_per_unit,
        sky=np.full(n, sky) * (0.7 + 0.6 * uniform(visit, 61)),
        template_sky=np.full(n, sky) * (0.7 + 0.2 * uniform(source, 62)),
        center_x=uniform(points, 63) - 0.5,
        center_y=uniform(points, 64) - 0.5,
        shape=s.shape,
        streak_angle_rad=np.pi * uniform(points, 65),
        field_stars=stars,
        noise_start=draw_noise_starts(rng, n),
    )
