"""Columns of ZTF's candidate, previous candidates and forced photometry.

Numbers that no model gives (shape, neighbours, calibration) are drawn around what real packets
hold, by a hash of the detection, so that a detection reads the same in every packet.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from services.simulate.avro_rows import NULL_INTEGER, Category, Column
from services.simulate.models.base import FloatArray, IntArray, Sources
from services.simulate.models.spectra import STAR_COLOR_SLOPE
from services.simulate.population import Night, detector_of
from services.simulate.surveys.base import (
    measured_positions,
    night_hash,
    normal,
    reference_mags,
    uniform,
)
from shared.light_curves.photometry import (
    AB_ZERO_POINT_NJY,
    JD_MINUS_MJD,
    MAGNITUDE_ERROR_FACTOR,
    magnitude_ab_of,
)

ZERO_POINT_MAG = np.array([np.nan, 26.28, 26.22, np.nan, np.nan, np.nan])
"""magzpsci by band code."""
NJY_PER_DN = 10.0 ** (0.4 * (AB_ZERO_POINT_NJY - 26.25))
_FIRST_NIGHT_MJD = 57_754
"""ZTF's night 0 (nid)."""
_MISSING = -999.0
"""What ZTF writes for no solar-system body or PS1 source nearby."""
_RB_VERSION, _DRB_VERSION = "t17_f5_c3", "d6_m7"
_REFERENCE_START_JD, _REFERENCE_END_JD = 2_458_200.7, 2_458_570.9
_DETECTOR_PIXELS = 3072


class ZtfPhotometry:
    """Numbers every exposure and detection of a night; gives the columns of chosen points."""

    def __init__(self, night: Night) -> None:
        self._night = night
        number, across, up = night.visits.grid.locate(night.sources.ra_deg, night.sources.dec_deg)
        self._field = number + 200
        self._rcid = detector_of(night.telescope, across, up)
        place = np.modf(across * night.telescope.detectors)[0]
        self._x = 4.0 + place * (_DETECTOR_PIXELS - 8.0)
        self._y = 4.0 + np.modf(up * night.telescope.detectors)[0] * (_DETECTOR_PIXELS - 8.0)
        mjd = night.visits.mjd_utc
        self._nid = np.floor(mjd).astype(np.int64) - _FIRST_NIGHT_MJD
        fraction = np.floor((mjd % 1.0) * 1e5 + 1e-6).astype(np.int64)
        self._pid0 = self._nid * 1_000_000_000 + fraction * 10_000 + 15
        moments = zip(mjd.tolist(), night.visits.band.tolist(), strict=True)
        self._file_names = [_file_name(*moment) for moment in moments]
        self._number_detections()

    def _number_detections(self) -> None:
        """Table ids count the detections of one exposure of one read-out channel."""
        night = self._night
        found = np.flatnonzero(night.is_detected)
        pid = self.pid(found)
        order = np.argsort(pid, kind="stable")
        key = pid[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        counts = np.diff(np.append(first, len(key)))
        rank = np.arange(len(key)) - np.repeat(first, counts)
        self._tblid = np.full(len(night.flux_njy), NULL_INTEGER)
        self._tblid[found[order]] = rank
        detected_so_far = np.cumsum(night.is_detected)
        before: IntArray = detected_so_far - night.is_detected.astype(np.int64)
        self._ndethist: IntArray = detected_so_far - before[night.offsets[:-1]][night.point_source]

    def pid(self, points: IntArray) -> IntArray:
        """Processing id of the image of each point: night, time, channel."""
        night = self._night
        return self._pid0[night.point_visit[points]] + self._rcid[night.point_source[points]] * 100

    def candid(self, points: IntArray) -> IntArray:
        """Candidate id of each detection; NULL_INTEGER where there is none.

        The last six digits are two of the seed's, then 0 or 5 for the sign, then the table id.
        """
        night = self._night
        sign = np.where(night.flux_njy[points] > 0, 5_000, 0)
        seed_digits = 1 + (night.seed + night_hash(night) // 7 * (night.seed >= 99)) % 99
        number = self.pid(points) * 1_000_000 + seed_digits * 10_000 + sign + self._tblid[points]
        return np.where(night.is_detected[points], number, NULL_INTEGER)

    def exposures(self, points: IntArray) -> dict[str, Column]:
        """Columns that describe the exposure of each point, detected or not."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        return {
            "jd": night.visits.mjd_utc[visit] + JD_MINUS_MJD,
            "fid": night.visits.band[visit].astype(np.int64),  # g=1, r=2 in both codes
            "pid": self.pid(points),
            "diffmaglim": night.visits.depth_mag[visit],
            "programid": 1,
            "rcid": self._rcid[source],
            "field": self._field[source],
            "magzpsci": ZERO_POINT_MAG[night.visits.band[visit]] + 0.05 * normal(visit, 71),
            "magzpsciunc": 3e-6 + 6e-6 * uniform(visit, 72),
            "magzpscirms": 0.018 + 0.015 * uniform(visit, 73),
            "clrcoeff": np.where(night.visits.band[visit] == 1, -0.05, 0.08)
            + 0.01 * normal(visit, 74),
            "clrcounc": 3e-6 + 9e-6 * uniform(visit, 75),
        }

    def detections(self, points: IntArray) -> dict[str, Column]:
        """Columns that candidates and previous candidates share; NaN where nothing was detected."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        s = night.sources.take(source)
        seen = night.is_detected[points]

        def where_seen(values: FloatArray | float) -> FloatArray:
            return np.where(seen, values, np.nan)

        flux, error = np.abs(night.flux_njy[points]), night.flux_err_njy[points]
        mag = magnitude_ab_of(flux)
        aperture = mag + 0.06 * normal(points, 1)
        fwhm = night.visits.fwhm_arcsec[visit] / night.telescope.pixel_arcsec
        bogus = s.shape > 0
        width = fwhm * np.where(
            bogus, 0.5 + 1.5 * uniform(points, 2), 1.0 + 0.05 * normal(points, 3)
        )
        major = width * (0.36 + 0.05 * uniform(points, 4))
        elongation = 1.0 + np.where(bogus, 0.9, 0.12) * uniform(points, 5)
        ra, dec = measured_positions(night, points)
        x, y = self._x[source], self._y[source]
        columns: dict[str, Column] = {
            **self.exposures(points),
            "pdiffimfilename": Category(visit, self._file_names),
            "programpi": "Kulkarni",
            "candid": self.candid(points),
            "isdiffpos": Category(
                np.where(seen, (night.flux_njy[points] > 0).astype(np.int64), 2), ("f", "t", None)
            ),
            "tblid": self._tblid[points],
            "nid": self._nid[visit],
            "xpos": where_seen(x),
            "ypos": where_seen(y),
            "ra": where_seen(ra),
            "dec": where_seen(dec),
            "magpsf": where_seen(mag),
            "sigmapsf": where_seen(MAGNITUDE_ERROR_FACTOR * error / flux),
            "chipsf": where_seen(np.where(bogus, 8.0, 1.0) * (0.6 + 1.2 * uniform(points, 6))),
            "magap": where_seen(aperture),
            "sigmagap": where_seen(1.3 * MAGNITUDE_ERROR_FACTOR * error / flux),
            "magapbig": where_seen(aperture - 0.03 + 0.05 * normal(points, 7)),
            "sigmagapbig": where_seen(1.6 * MAGNITUDE_ERROR_FACTOR * error / flux),
            "magdiff": where_seen(aperture - mag),
            "magfromlim": where_seen(night.visits.depth_mag[visit] - aperture),
            "sky": where_seen(0.4 * normal(points, 8)),
            "fwhm": where_seen(width),
            "seeratio": where_seen(1.0 + 0.2 * normal(points, 9)),
            "classtar": where_seen(np.where(bogus, 0.4 * uniform(points, 10), 0.97)),
            "mindtoedge": where_seen(
                np.minimum(np.minimum(x, y), _DETECTOR_PIXELS - np.maximum(x, y))
            ),
            "aimage": where_seen(major),
            "bimage": where_seen(major / elongation),
            "aimagerat": where_seen(major / width),
            "bimagerat": where_seen(major / elongation / width),
            "elong": where_seen(elongation),
            "nneg": where_seen(np.floor(np.where(bogus, 14.0, 5.0) * uniform(points, 13))),
            "nbad": where_seen(0.0),
            "rb": where_seen(np.clip(s.reliability - 0.1 * uniform(points, 14), 0.0, 1.0)),
            "sumrat": where_seen(
                np.where(bogus, uniform(points, 15), 1.0 - 0.1 * uniform(points, 16))
            ),
            "scorr": where_seen(1.1 * flux / error),
            "rbversion": _RB_VERSION,
        }
        return {**columns, **self._neighbours(points, s, where_seen)}

    def _neighbours(self, points: IntArray, s: Sources, where_seen: object) -> dict[str, Column]:
        """The nearest source of the reference image."""
        assert callable(where_seen)  # noqa: S101 - narrows a closure's type
        source = self._night.point_source[points]
        distance_px, ra, dec = self.nearest(source, s)
        mag = np.nan_to_num(reference_mags(self._night, points), nan=0.0)
        mag = np.where(mag == 0.0, 19.0 + 2.5 * uniform(source, 22), mag)
        return {
            "distnr": where_seen(distance_px),
            "magnr": where_seen(mag),
            "sigmagnr": where_seen(0.015 + 0.05 * np.clip(mag - 17.0, 0.0, 4.0)),
            "chinr": where_seen(0.6 + 0.6 * uniform(source, 23)),
            "sharpnr": where_seen(np.where(np.isnan(s.star_mag), 0.3, 0.0)),
            "ranr": where_seen(ra),
            "decnr": where_seen(dec),
        }

    def nearest(self, source: IntArray, s: Sources) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distance in pixels and ICRS degrees of the nearest reference source."""
        pixel = self._night.telescope.pixel_arcsec
        has_star, has_host = ~np.isnan(s.star_mag), ~np.isnan(s.host_mag)
        angle = 2.0 * np.pi * uniform(source, 20)
        far = 4.0 + 16.0 * uniform(source, 21)
        east = np.where(has_host, s.host_east_arcsec, far * np.sin(angle))
        north = np.where(has_host, s.host_north_arcsec, far * np.cos(angle))
        east, north = np.where(has_star, 0.08, east), np.where(has_star, 0.05, north)
        dec = np.clip(s.dec_deg + north / 3600.0, -90.0, 90.0)
        ra = (s.ra_deg + east / 3600.0 / np.cos(np.radians(dec))) % 360.0
        return np.hypot(east, north) / pixel, ra, dec

    def forced(self, points: IntArray) -> dict[str, Column]:
        """Columns of forced photometry at the points' sources."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        s = night.sources.take(source)
        distance_px, ra, dec = self.nearest(source, s)
        exposures = self.exposures(points)
        zero_point = np.asarray(exposures["magzpsci"])
        dn = 10.0 ** (-0.4 * (AB_ZERO_POINT_NJY - zero_point))
        mag = np.nan_to_num(reference_mags(night, points), nan=20.0)
        return {
            **exposures,
            "rfid": self._field[source] * 1_000_000 + 120_100 + self._rcid[source],
            "sciinpseeing": night.visits.fwhm_arcsec[visit] / night.telescope.pixel_arcsec,
            "scibckgnd": 150.0 + 200.0 * uniform(visit, 76),
            "scisigpix": 6.0 + 5.0 * uniform(visit, 77),
            "exptime": night.telescope.exposure_s,
            "adpctdif1": 0.03 + 0.04 * uniform(visit, 78),
            "adpctdif2": 0.04 + 0.05 * uniform(visit, 79),
            "forcediffimflux": night.flux_njy[points] * dn,
            "forcediffimfluxunc": night.flux_err_njy[points] * dn,
            "procstatus": "0",
            "distnr": distance_px,
            "ranr": ra,
            "decnr": dec,
            "magnr": mag,
            "sigmagnr": 0.015 + 0.05 * np.clip(mag - 17.0, 0.0, 4.0),
            "chinr": 0.6 + 0.6 * uniform(source, 23),
            "sharpnr": np.where(np.isnan(s.star_mag), 0.3, 0.0),
        }

    def candidates(self, points: IntArray) -> dict[str, Column]:
        """All columns of the alerts' own candidates."""
        night = self._night
        visit, source = night.point_visit[points], night.point_source[points]
        s = night.sources.take(source)
        moving = np.array([bool(name) for name in s.solar_system_name], dtype=bool)
        has_star = ~np.isnan(s.star_mag)
        distance_px, _, _ = self.nearest(source, s)
        mag = np.where(has_star, s.star_mag, np.nan_to_num(s.host_mag, nan=21.3))
        color = np.where(has_star, s.star_color, 0.65)
        snr = np.abs(night.flux_njy[points]) / night.flux_err_njy[points]
        jd = night.visits.mjd_utc + JD_MINUS_MJD
        first_seen = np.minimum.reduceat(
            np.where(night.is_detected, jd[night.point_visit], np.inf), night.offsets[:-1]
        )
        score = np.where(has_star, 0.9 + 0.1 * uniform(source, 24), 0.05 * uniform(source, 25))
        columns: dict[str, Column] = {
            **self.detections(points),
            "ssdistnr": np.where(moving, 0.1 + 1.4 * uniform(points, 26), _MISSING),
            "ssmagnr": np.where(
                moving, np.asarray(self._apparent(points)) + 0.2 * normal(points, 27), _MISSING
            ),
            "ssnamenr": [name or "null" for name in s.solar_system_name],
            "sgscore1": score,
            "distpsnr1": distance_px * night.telescope.pixel_arcsec,
            "ndethist": self._ndethist[points],
            "ncovhist": 300 + (points - night.offsets[source]),
            "jdstarthist": first_seen[source],
            "jdendhist": jd[visit],
            "tooflag": night.visits.is_target[visit].astype(np.int64),
            "objectidps1": 10**17 + (uniform(source, 28) * 1e17).astype(np.int64),
            "nmtchps": 1 + (12.0 * uniform(source, 29)).astype(np.int64),
            "rfid": self._field[source] * 1_000_000 + 120_100 + self._rcid[source],
            "jdstartref": _REFERENCE_START_JD,
            "jdendref": _REFERENCE_END_JD,
            "nframesref": 15,
            "dsnrms": 0.6 * snr,
            "ssnrms": 1.1 * snr,
            "dsdiff": -0.5 * snr,
            "nmatches": 500 + (1500.0 * uniform(visit, 80)).astype(np.int64),
            "zpclrcov": -4e-6,
            "zpmed": ZERO_POINT_MAG[night.visits.band[visit]],
            "clrmed": 0.5,
            "clrrms": 0.2,
            "neargaia": np.where(has_star, 0.1, 3.0 + 20.0 * uniform(source, 30)),
            "neargaiabright": 30.0 + 55.0 * uniform(source, 31),
            "maggaia": np.where(has_star, s.star_mag + 0.1, 18.0 + 2.5 * uniform(source, 32)),
            "maggaiabright": 10.5 + 3.0 * uniform(source, 33),
            "exptime": night.telescope.exposure_s,
            "drb": s.reliability,
            "drbversion": _DRB_VERSION,
        }
        for code, name in enumerate("griz", start=1):
            columns[f"s{name}mag1"] = mag + color * STAR_COLOR_SLOPE[code]
            for other in ("2", "3"):
                columns[f"s{name}mag{other}"] = 19.0 + 2.5 * uniform(source, 40 + int(other))
        for other in ("2", "3"):
            columns[f"sgscore{other}"] = uniform(source, 50 + int(other))
            columns[f"distpsnr{other}"] = 4.0 * int(other) + 8.0 * uniform(source, 60 + int(other))
            columns[f"objectidps{other}"] = 10**17 + (uniform(source, 34) * 1e17).astype(np.int64)
        return columns

    def _apparent(self, points: IntArray) -> FloatArray:
        return magnitude_ab_of(np.abs(self._night.flux_njy[points]))


def _file_name(mjd_utc: float, band: int) -> str:
    moment = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=mjd_utc)
    fraction = int((mjd_utc % 1.0) * 1e6 + 0.1)
    letter = "ugrizy"[band]
    return f"ztf_{moment:%Y%m%d}{fraction:06d}_tocsin_z{letter}_scimrefdiffimg.fits"
