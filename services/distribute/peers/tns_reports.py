"""Reports for the Transient Name Server, made from what our topics say.

Field names and the ids of groups, instruments and filters are those of the bulk-report API
(wis-tns.org, "TNS bulk report manual"; the ids as Fink and AMPEL use them in production, 2026).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from shared.errors import RejectedRecordError
from shared.light_curves.bands import BANDS, DETECTION, UPPER_LIMIT
from shared.light_curves.photometry import (
    MAGNITUDE_ERROR_FACTOR,
    magnitude_ab_of,
    mjd_utc_of_tai,
)
from shared.subscriptions.channel_settings import TnsSettings

_INSTRUMENTS = {"ztf": "196", "lsst": "287"}
_FILTERS = {
    "ztf": {"g": "110", "r": "111", "i": "112"},
    "lsst": {"u": "160", "g": "161", "r": "162", "i": "163", "z": "164", "y": "165"},
}
_INTERNAL_NAMES = {"ztf": "{}", "lsst": "LSST-AP-DO-{}"}
_POSITION_ERROR_ARCSEC = {"ztf": 0.5, "lsst": 0.2}
_AB = "1"
_OTHER_ARCHIVE = "0"
_MOST_POINTS = 10
_ZERO_MJD = datetime(1858, 11, 17, tzinfo=UTC)
_LIMIT_SIGMAS = 5.0

_AT_COLUMNS = ("survey", "object_id", "ra_deg", "dec_deg", "mjd_tai", "band", "flux_njy")
_CLASSIFICATION_FIELDS = ("tns_name", "object_type_id", "classifier", "spectrum")


def internal_name(document: Mapping[str, Any]) -> str:
    """The survey's name of the object as TNS knows it."""
    return _INTERNAL_NAMES.get(str(document.get("survey")), "{}").format(document["object_id"])


def at_report(settings: TnsSettings, document: Mapping[str, Any]) -> dict[str, Any]:
    """The discovery report of an alert.

    Parameters
    ----------
    settings
        Of the subscription.
    document
        The alert's columns; the light curve if the filter selected it.

    Raises
    ------
    RejectedRecordError
        ``missing_columns``, ``simulated`` or ``unknown_survey``.
    """
    _require(document, _AT_COLUMNS, "the filter must SELECT them")
    if settings.live and document.get("is_simulated") is not False:
        raise RejectedRecordError(
            "simulated", "only alerts whose is_simulated says false go to the real TNS"
        )
    survey = str(document["survey"])
    if survey not in _INSTRUMENTS:
        raise RejectedRecordError("unknown_survey", f"TNS ids of {survey} are not known here")
    points = _points(document)
    detections = [point for point in points if point["kind"] == DETECTION]
    first_mjd_tai = detections[0]["mjd_tai"]
    error = {"error": str(_POSITION_ERROR_ARCSEC[survey]), "units": "arcsec"}
    return {
        "ra": {"value": f"{document['ra_deg']:.7f}", **error},
        "dec": {"value": f"{document['dec_deg']:.7f}", **error},
        "reporting_group_id": str(settings.reporting_group_id),
        "discovery_data_source_id": str(settings.data_source_id),
        "reporter": settings.reporter,
        "discovery_datetime": tns_time(first_mjd_tai),
        "at_type": str(settings.at_type),
        "internal_name": internal_name(document),
        "remarks": settings.remarks,
        "non_detection": _non_detection(survey, points, first_mjd_tai),
        "photometry": {
            "photometry_group": {
                str(number): _photometry(survey, point)
                for number, point in enumerate(_chosen(detections))
            }
        },
    }


def classification_report(
    settings: TnsSettings, document: Mapping[str, Any], spectrum_file: str
) -> dict[str, Any]:
    """The classification report of an object with a spectrum.

    Parameters
    ----------
    settings
        Of the subscription.
    document
        ``tns_name``, ``object_type_id`` (TNS's number), ``classifier``, ``redshift`` or null, and
        ``spectrum``: ``obsdate``, ``instrument_id``, ``exposure_s``, ``observer``, ``ascii``.
    spectrum_file
        Name under which TNS has the uploaded spectrum.

    Raises
    ------
    RejectedRecordError
        ``missing_columns``.
    """
    _require(document, _CLASSIFICATION_FIELDS, "TNS classifies by a spectrum only")
    spectrum = document["spectrum"]
    _require(spectrum, ("obsdate", "instrument_id", "ascii"), "of the spectrum")
    return {
        "name": str(document["tns_name"]).removeprefix("AT").removeprefix("SN").strip(),
        "classifier": str(document["classifier"]),
        "objtypeid": str(document["object_type_id"]),
        "redshift": "" if document.get("redshift") is None else str(document["redshift"]),
        "groupid": str(settings.reporting_group_id),
        "remarks": settings.remarks,
        "spectra": {
            "spectra-group": {
                "0": {
                    "obsdate": str(spectrum["obsdate"]),
                    "instrumentid": str(spectrum["instrument_id"]),
                    "exptime": str(spectrum.get("exposure_s") or ""),
                    "observer": str(spectrum.get("observer") or document["classifier"]),
                    "spectypeid": "1",
                    "ascii_file": spectrum_file,
                    "spec_proprietary_period": "0",
                }
            }
        },
    }


def tns_time(mjd_tai: float) -> str:
    """UTC of a TAI date, ``YYYY-MM-DD hh:mm:ss``."""
    instant = _ZERO_MJD + timedelta(days=float(mjd_utc_of_tai(mjd_tai)))
    return (instant + timedelta(microseconds=500_000)).strftime("%Y-%m-%d %H:%M:%S")


def _require(document: Mapping[str, Any], names: Sequence[str], how: str) -> None:
    missing = [name for name in names if document.get(name) is None or document[name] == ""]
    if missing:
        raise RejectedRecordError("missing_columns", f"{', '.join(missing)}: {how}")


def _points(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Light-curve points in order of time; the alert's own detection alone if that is all."""
    columns = [document.get(f"lc_{name}") for name in ("mjd_tai", "flux_njy", "flux_err_njy")]
    codes = [document.get("lc_band"), document.get("lc_kind")]
    points = []
    if all(isinstance(column, list) for column in (*columns, *codes)):
        for mjd_tai, flux_njy, error_njy, band, kind in zip(*columns, *codes, strict=True):
            is_upper = kind == UPPER_LIMIT and error_njy
            is_positive = kind == DETECTION and flux_njy is not None and flux_njy > 0
            if is_upper or is_positive:
                points.append(
                    {
                        "mjd_tai": mjd_tai, "flux_njy": flux_njy, "error_njy": error_njy,
                        "band": BANDS[band] if 0 <= band < len(BANDS) else None, "kind": kind,
                    }
                )  # fmt: skip
    if not any(point["kind"] == DETECTION for point in points):
        points.append(
            {
                "mjd_tai": document["mjd_tai"], "flux_njy": document["flux_njy"],
                "error_njy": document.get("flux_err_njy"), "band": document["band"],
                "kind": DETECTION,
            }
        )  # fmt: skip
    return sorted(points, key=lambda point: float(point["mjd_tai"]))


def _chosen(detections: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first detection and the newest: what a discovery report needs."""
    if len(detections) <= _MOST_POINTS:
        return list(detections)
    return [detections[0], *detections[-(_MOST_POINTS - 1) :]]


def _photometry(survey: str, point: Mapping[str, Any]) -> dict[str, Any]:
    flux_njy, error_njy = float(point["flux_njy"]), point["error_njy"]
    if flux_njy <= 0:
        raise RejectedRecordError("negative_flux", "a fading source is no discovery")
    error = "" if not error_njy else f"{MAGNITUDE_ERROR_FACTOR * error_njy / flux_njy:.4f}"
    return {
        "obsdate": tns_time(point["mjd_tai"]),
        "flux": f"{float(magnitude_ab_of(flux_njy)):.4f}",
        "flux_error": error,
        "limiting_flux": "",
        "flux_units": _AB,
        "filter_value": _filter_id(survey, point["band"]),
        "instrument_value": _INSTRUMENTS[survey],
        "exptime": "30",
        "observer": "Robot",
        "comments": "",
    }


def _non_detection(
    survey: str, points: Sequence[dict[str, Any]], first_mjd_tai: float
) -> dict[str, str]:
    """The last upper limit before the first detection; else an archive that has none to show."""
    before = [p for p in points if p["kind"] == UPPER_LIMIT and p["mjd_tai"] < first_mjd_tai]
    known = [p for p in before if p["band"] in _FILTERS[survey]]
    if not known:
        return {
            "archiveid": _OTHER_ARCHIVE,
            "archival_remarks": f"No non-detection in the alert stream of {survey.upper()}",
        }
    last = known[-1]
    limit = float(magnitude_ab_of(np.float64(_LIMIT_SIGMAS * last["error_njy"])))
    return {
        "obsdate": tns_time(last["mjd_tai"]),
        "limiting_flux": f"{limit:.4f}",
        "flux_units": _AB,
        "filter_value": _filter_id(survey, last["band"]),
        "instrument_value": _INSTRUMENTS[survey],
        "exptime": "30",
        "observer": "Robot",
        "comments": "",
    }


def _filter_id(survey: str, band: str | None) -> str:
    found = _FILTERS[survey].get(band or "")
    if found is None:
        raise RejectedRecordError("unknown_band", f"TNS has no filter {band!r} of {survey}")
    return found
