"""Columns of LSST's diaSource, diaForcedSource, diaObject and ssSource records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from services.simulate.avro_rows import NULL_INTEGER, Category, Column
from services.simulate.models.base import FloatArray, IntArray
from services.simulate.models.spectra import STAR_COLOR_SLOPE
from services.simulate.population import Night, detector_of
from services.simulate.surveys.base import (
    measured_positions,
    night_hash,
    normal,
    reference_mags,
    uniform,
)
from shared.light_curves.bands import BANDS
from shared.light_curves.photometry import flux_njy_of

_SIMULATED_IDS = 1 << 62
"""Every simulated identifier is above; Rubin's own were below 2e17 in 2026."""
_DETECTOR_PIXELS = 4000.0
_PROCESSING_DAYS = 75.0 / 86_400.0
"""Alerts leave a minute or so after the shutter closes."""
_FALSE_FLAGS = (
    "centroid_flag", "apFlux_flag", "apFlux_flag_apertureTruncated", "psfFlux_flag",
    "psfFlux_flag_edge", "psfFlux_flag_noGoodPixels", "trail_flag_edge", "forced_PsfFlux_flag",
    "forced_PsfFlux_flag_edge", "forced_PsfFlux_flag_noGoodPixels", "shape_flag",
    "shape_flag_no_pixels", "shape_flag_not_contained", "shape_flag_parent_source",
    "dipoleFitAttempted", "pixelFlags", "pixelFlags_bad", "pixelFlags_cr", "pixelFlags_crCenter",
    "pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_nodataCenter", "pixelFlags_interpolated",
    "pixelFlags_interpolatedCenter", "pixelFlags_offimage", "pixelFlags_saturated",
    "pixelFlags_saturatedCenter", "pixelFlags_suspect", "pixelFlags_suspectCenter",
    "pixelFlags_streak", "pixelFlags_streakCenter", "pixelFlags_injected",
    "pixelFlags_injectedCenter", "pixelFlags_injected_template",
    "pixelFlags_injected_templateCenter", "glint_trail",
)  # fmt: skip


class LsstPhotometry:
    """Numbers every exposure and detection of a night; gives the columns of chosen points."""

    def __init__(self, night: Night) -> None:
        self._night = night
        _, across, up = night.visits.grid.locate(night.sources.ra_deg, night.sources.dec_deg)
        self._detector = detector_of(night.telescope, across, up)
        side = night.telescope.detectors
        self._x = np.modf(across * side)[0] * _DETECTOR_PIXELS
        self._y = np.modf(up * side)[0] * _DETECTOR_PIXELS
        self._visit_id = _visit_ids(night.visits.mjd_utc)
        self._first_id = _SIMULATED_IDS + ((night_hash(night) & ((1 << 29) - 1)) << 32)
        self.is_moving = np.array(
            [bool(name) for name in night.sources.solar_system_name], dtype=bool
        )
        names, number = np.unique(night.sources.solar_system_name.astype(str), return_inverse=True)
        del names
        self._body = number

    def dia_source_id(self, points: IntArray) -> IntArray:
        """Identifier of each detection."""
        return self._first_id + points

    def dia_object_id(self, source: IntArray) -> IntArray:
        """Identifier of each source; NULL_INTEGER for solar-system bodies."""
        number = self._first_id + (1 << 30) + source
        return np.where(self.is_moving[source], NULL_INTEGER, number)

    def ss_object_id(self, source: IntArray) -> IntArray:
        """Identifier of each solar-system body; NULL_INTEGER for all else."""
        number = self._first_id + (1 << 31) + self._body[source]
        return np.where(self.is_moving[source], number, NULL_INTEGER)

    def sources(self, points: IntArray) -> dict[str, Column]:
        """Columns of diaSource."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        flux, error = night.flux_njy[points], night.flux_err_njy[points]
        s = night.sources.take(source)
        ra, dec = measured_positions(night, points)
        fwhm = night.visits.fwhm_arcsec[visit]
        centroid_deg = fwhm / 2.355 * error / np.abs(flux) / 3600.0
        static = np.nan_to_num(flux_njy_of(reference_mags(night, points)))
        psf = (fwhm / 2.355) ** 2
        columns: dict[str, Column] = dict.fromkeys(_FALSE_FLAGS, False)
        columns |= {
            "diaSourceId": self.dia_source_id(points),
            "visit": self._visit_id[visit],
            "detector": self._detector[source],
            "diaObjectId": self.dia_object_id(source),
            "ssObjectId": self.ss_object_id(source),
            "parentDiaSourceId": 0,
            "midpointMjdTai": night.visits.mjd_tai[visit],
            "ra": ra,
            "raErr": centroid_deg,
            "dec": dec,
            "decErr": centroid_deg,
            "ra_dec_Cov": 0.0,
            "x": self._x[source],
            "xErr": centroid_deg * 3600.0 / night.telescope.pixel_arcsec,
            "y": self._y[source],
            "yErr": centroid_deg * 3600.0 / night.telescope.pixel_arcsec,
            "apFlux": flux + 1.5 * error * normal(points, 1),
            "apFluxErr": 2.2 * error,
            "isNegative": flux < 0,
            "snr": np.abs(flux) / error,
            "psfFlux": flux,
            "psfFluxErr": error,
            "psfChi2": 1681.0 * np.where(s.shape > 0, 3.0, 1.0) * (1.0 + 0.05 * normal(points, 2)),
            "psfNdata": 1681,
            "trailNdata": 0,
            "dipoleNdata": 0,
            "scienceFlux": static + flux,
            "scienceFluxErr": error,
            "templateFlux": static,
            "templateFluxErr": 0.2 * error,
            "ixxPSF": psf,
            "iyyPSF": psf,
            "ixyPSF": 0.02 * psf * normal(visit, 3),
            "extendedness": np.where(s.shape > 0, 0.5 + 0.5 * uniform(points, 4), 0.0),
            "reliability": s.reliability,
            "band": Category(night.visits.band[visit].astype(np.int64), BANDS),
            "isDipole": s.shape == 1,
            "timeProcessedMjdTai": night.visits.mjd_tai[visit] + _PROCESSING_DAYS,
            "bboxSize": 31,
        }
        return columns

    def forced(self, points: IntArray) -> dict[str, Column]:
        """Columns of diaForcedSource."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        flux, error = night.flux_njy[points], night.flux_err_njy[points]
        static = np.nan_to_num(flux_njy_of(reference_mags(night, points)))
        return {
            "diaForcedSourceId": self._first_id + 3 * (1 << 30) + points,
            "diaObjectId": self.dia_object_id(source),
            "ra": night.sources.ra_deg[source],
            "dec": night.sources.dec_deg[source],
            "visit": self._visit_id[visit],
            "detector": self._detector[source],
            "psfFlux": flux,
            "psfFluxErr": error,
            "midpointMjdTai": night.visits.mjd_tai[visit],
            "scienceFlux": static + flux,
            "scienceFluxErr": error,
            "band": Category(night.visits.band[visit].astype(np.int64), BANDS),
            "timeProcessedMjdTai": night.visits.mjd_tai[visit] + _PROCESSING_DAYS,
        }

    def objects(self, points: IntArray, earlier: IntArray, offsets: IntArray) -> dict[str, Column]:
        """Columns of diaObject: means over the detections so far, this one included.

        ``earlier`` and ``offsets`` are the detections before each alert, as flat points.
        """
        night = self._night
        source = night.point_source[points]
        alert = np.concatenate(
            [np.repeat(np.arange(len(points)), np.diff(offsets)), np.arange(len(points))]
        )
        every = np.concatenate([earlier, points])
        band = night.visits.band[night.point_visit[every]].astype(np.int64)
        times = night.visits.mjd_tai[night.point_visit[every]]
        first = np.full(len(points), np.inf)
        np.minimum.at(first, alert, times)
        columns: dict[str, Column] = {
            "diaObjectId": self.dia_object_id(source),
            "validityStartMjdTai": night.visits.mjd_tai[night.point_visit[points]],
            "ra": night.sources.ra_deg[source],
            "raErr": 1e-5,
            "dec": night.sources.dec_deg[source],
            "decErr": 1e-5,
            "ra_dec_Cov": 0.0,
            "firstDiaSourceMjdTai": first,
            "lastDiaSourceMjdTai": night.visits.mjd_tai[night.point_visit[points]],
            "nDiaSources": np.diff(offsets) + 1,
        }
        for code in night.telescope.bands:
            here = band == code
            columns |= _band_statistics(
                BANDS[code],
                alert[here],
                night.flux_njy[every[here]],
                night.flux_err_njy[every[here]],
                len(points),
            )
        return columns

    def bodies(self, points: IntArray) -> dict[str, Column]:
        """Columns of ssSource: ephemeris and geometry of a body near opposition."""
        night = self._night
        source = night.point_source[points]
        s = night.sources.take(source)
        ra, dec = measured_positions(night, points)
        longitude, latitude = _rotated(ra, dec, _TO_ECLIPTIC)
        gal_longitude, gal_latitude = _rotated(ra, dec, _TO_GALACTIC)
        mag = 31.4 - 2.5 * np.log10(np.abs(night.flux_njy[points]))
        slope = STAR_COLOR_SLOPE[night.visits.band[night.point_visit[points]]]
        rate = s.motion_arcsec_per_hour * 24.0 / 3600.0
        angle = np.radians(s.motion_angle_deg)
        helio = 2.2 + 1.0 * uniform(self._body[source], 5)
        return {
            "diaSourceId": self.dia_source_id(points),
            "ssObjectId": self.ss_object_id(source),
            "designation": [str(name) for name in s.solar_system_name],
            "eclLambda": longitude,
            "eclBeta": latitude,
            "galLon": gal_longitude,
            "galLat": gal_latitude,
            "elongation": 180.0 - 25.0 * uniform(self._body[source], 6),
            "phaseAngle": 10.0 * uniform(self._body[source], 6),
            "topoRange": helio - 0.98,
            "helioRange": helio,
            "ephRa": s.ra_deg,
            "ephDec": s.dec_deg,
            "ephVmag": mag - 0.55 * slope + 0.3,
            "ephRate": rate,
            "ephRateRa": rate * np.sin(angle),
            "ephRateDec": rate * np.cos(angle),
            "ephOffset": np.hypot(ra - s.ra_deg, dec - s.dec_deg) * 3600.0,
            "diaDistanceRank": 1,
        }

    def orbits(self, points: IntArray) -> dict[str, Column]:
        """Columns of mpc_orbits: elements of the main belt, drawn per body."""
        body = self._body[self._night.point_source[points]]
        names = [
            str(name)
            for name in self._night.sources.solar_system_name[self._night.point_source[points]]
        ]
        axis = 2.2 + 1.0 * uniform(body, 5)
        eccentricity = 0.25 * uniform(body, 7)
        return {
            "id": body + 1,
            "designation": names,
            "packed_primary_provisional_designation": [name.replace(" ", "") for name in names],
            "unpacked_primary_provisional_designation": names,
            "a": axis,
            "q": axis * (1.0 - eccentricity),
            "e": eccentricity,
            "i": 15.0 * uniform(body, 8),
            "node": 360.0 * uniform(body, 9),
            "argperi": 360.0 * uniform(body, 10),
            "mean_anomaly": 360.0 * uniform(body, 11),
            "epoch_mjd": float(self._night.night_mjd),
            "h": 15.0 + 4.0 * uniform(body, 12),
            "g": 0.15,
        }


def _visit_ids(mjd_utc: FloatArray) -> IntArray:
    """Rubin's visit number: the date twelve hours before, and a count within it."""
    day = np.floor(mjd_utc - 0.5)
    dates = {
        d: int((datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=d)).strftime("%Y%m%d"))
        for d in np.unique(day).tolist()
    }
    date = np.array([dates[d] for d in day.tolist()], dtype=np.int64)
    # A count that grows with time and is the same whoever asks: five-second steps of the day.
    return date * 100_000 + np.floor((mjd_utc - 0.5 - day) * 17_280.0).astype(np.int64)


def _band_statistics(
    band: str, alert: IntArray, flux: FloatArray, error: FloatArray, n: int
) -> dict[str, Column]:
    """Mean, scatter and range of one band's detections for each of ``n`` alerts."""
    count = np.bincount(alert, minlength=n)
    weight = np.bincount(alert, weights=error**-2, minlength=n)
    total = np.bincount(alert, weights=flux * error**-2, minlength=n)
    plain = np.bincount(alert, weights=flux, minlength=n)
    square = np.bincount(alert, weights=flux**2, minlength=n)
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(lowest, alert, flux)
    np.maximum.at(highest, alert, flux)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / weight
        scatter = np.sqrt(np.maximum(square - plain**2 / count, 0.0) / (count - 1))
        mean_error = np.bincount(alert, weights=error, minlength=n) / count
        error_of_mean = weight**-0.5
    some = count > 0
    return {
        f"{band}_psfFluxMean": np.where(some, mean, np.nan),
        f"{band}_psfFluxMeanErr": np.where(some, error_of_mean, np.nan),
        f"{band}_psfFluxSigma": np.where(count > 1, scatter, np.nan),
        f"{band}_psfFluxNdata": count,
        f"{band}_psfFluxMin": np.where(some, lowest, np.nan),
        f"{band}_psfFluxMax": np.where(some, highest, np.nan),
        f"{band}_psfFluxErrMean": np.where(some, mean_error, np.nan),
    }


_OBLIQUITY = np.radians(23.4392911)
_TO_ECLIPTIC = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, np.cos(_OBLIQUITY), np.sin(_OBLIQUITY)],
        [0.0, -np.sin(_OBLIQUITY), np.cos(_OBLIQUITY)],
    ]
)
_TO_GALACTIC = np.array(  # Hipparcos catalogue (ESA SP-1200), volume 1, 1.5.3
    [
        [-0.0548755604, -0.8734370902, -0.4838350155],
        [0.4941094279, -0.4448296300, 0.7469822445],
        [-0.8676661490, -0.1980763734, 0.4559837762],
    ]
)


def _rotated(
    ra_deg: FloatArray, dec_deg: FloatArray, matrix: npt.NDArray[np.float64]
) -> tuple[FloatArray, FloatArray]:
    """Longitude and latitude in degrees in the frame of ``matrix``."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    x, y, z = matrix @ np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))
