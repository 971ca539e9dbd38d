"""Rubin's LSST: Confluent messages (byte 0, schema id, Avro), schemas 7.0 to 11.1, also containers.

Described at https://github.com/lsst/alert_packet and DMTN-093. What becomes what:

- ``diaSourceId`` is the alert; ``diaObjectId`` (of the source, else of the object) the object,
  else ``ssObjectId``. 0 means none in all three.
- Fluxes are nanojansky already, ``midpointMjdTai`` is TAI at mid-exposure already.
- ``prvDiaSources`` are detections, ``prvDiaForcedSources`` forced photometry;
  ``prvDiaNondetectionLimits`` (7.x only) are upper limits of 5 ``diaNoise``.
- Withdrawn points (``timeWithdrawnMjdTai`` given) are left out.
- A solar-system body is here if ``ssObjectId`` is given, or an ``ssSource``/``ssObject`` record.
- Simulated packets carry ``observation_reason`` "tocsin_simulated" (8.0 on; 7.x has no place
  for a mark).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.ingest.avro import Decoded, Projection
from services.ingest.avro.columns import short_code
from services.ingest.light_curves import Points, light_curve_columns
from services.ingest.surveys.base import Refusal, Survey, SurveyAlerts, survey_struct
from services.ingest.surveys.lsst_fields import PATHS, TYPES
from shared.errors import RejectedRecordError
from shared.light_curves.bands import BAND_CODES, BANDS, DETECTION, FORCED, UPPER_LIMIT

SIMULATED = "tocsin_simulated"
"""What a simulated packet's ``observation_reason`` begins with."""
OLDEST_MAJOR = 7
"""Before 7 names, units and time scales were others."""
_NAME = re.compile(r"lsst\.v(\d+)_(\d+)\.alert")

SURVEY_FIELDS = pa.struct([pa.field(name, type_) for name, type_ in TYPES.items()])

_POINT = ("midpointMjdTai", "band", "psfFlux", "psfFluxErr", "timeWithdrawnMjdTai")

PROJECTION = Projection(
    scalars=(*PATHS.values(), "diaObject.diaObjectId"),
    lists={
        "prvDiaSources": _POINT,
        "prvDiaForcedSources": _POINT,
        "prvDiaNondetectionLimits": ("midpointMjdTai", "band", "diaNoise"),
    },
    present=("ssSource", "ssObject"),
    required=(
        "diaSource.diaSourceId",
        "diaSource.midpointMjdTai",
        "diaSource.ra",
        "diaSource.dec",
        "diaSource.band",
        "diaSource.psfFlux",
        "diaSource.psfFluxErr",
    ),
)


def version_of(schema_name: str, _: Mapping[str, Any]) -> str | None:
    """``lsst.v10_0.alert`` is version 10.0."""
    match = _NAME.fullmatch(schema_name)
    if match is None:
        return None
    major, minor = match.groups()
    if int(major) < OLDEST_MAJOR:
        raise RejectedRecordError(
            "unsupported_schema",
            f"LSST schema {major}.{minor}: {OLDEST_MAJOR}.0 is the oldest that is read",
        )
    return f"{major}.{minor}"


def _band_codes(texts: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    codes = np.full(len(texts), -1, np.int64)
    for band, code in BAND_CODES.items():
        codes[texts == short_code(band)] = code
    return codes


def _points(decoded: Decoded, name: str, kind: int) -> Points:
    ragged = decoded.ragged(name)
    band = _band_codes(ragged.codes("band"))
    band[np.isfinite(ragged.numbers("timeWithdrawnMjdTai"))] = -1
    err = ragged.numbers("diaNoise" if kind == UPPER_LIMIT else "psfFluxErr")
    return Points(
        alert=ragged.packet,
        mjd_tai=ragged.numbers("midpointMjdTai"),
        flux_njy=ragged.numbers("psfFlux"),
        flux_err_njy=err,
        band=band,
        kind=np.full(len(ragged), kind),
    )


def _first_of(decoded: Decoded, *paths: str) -> npt.NDArray[np.int64]:
    """The first of some identifiers that is given and not 0; 0 if none is."""
    ids = decoded.integers(paths[0])
    for path in paths[1:]:
        ids = np.where(ids == 0, decoded.integers(path), ids)
    return ids


def _band_of_detection(decoded: Decoded) -> npt.NDArray[np.int64]:
    text = decoded.texts.get("diaSource.band")
    if text is None:
        return np.full(len(decoded), -1, np.int64)
    index = pc.fill_null(pc.index_in(text, pa.array(BANDS)), -1)
    return np.asarray(index.to_numpy(zero_copy_only=False), dtype=np.int64)


def to_alerts(decoded: Decoded, version: str) -> SurveyAlerts:
    """LSST packets as alerts; the module says what becomes what."""
    n = len(decoded)
    flux, err = decoded.numbers("diaSource.psfFlux"), decoded.numbers("diaSource.psfFluxErr")
    mjd, band = decoded.numbers("diaSource.midpointMjdTai"), _band_of_detection(decoded)
    object_id = _first_of(
        decoded, "diaSource.diaObjectId", "diaObject.diaObjectId", "diaSource.ssObjectId"
    )
    source_id = decoded.integers("diaSource.diaSourceId")
    score = decoded.numbers("diaSource.reliability")
    reason = decoded.texts.get("observation_reason", pa.nulls(n, pa.string()))
    simulated = pc.starts_with(pc.fill_null(reason, ""), SIMULATED)
    now = Points(np.arange(n), mjd, flux, err, band, np.full(n, DETECTION))
    in_solar_system = decoded.integers("diaSource.ssObjectId") != 0
    return SurveyAlerts(
        alert_id=pa.array(source_id, mask=source_id == 0).cast(pa.string()),
        object_id=pa.array(object_id, mask=object_id == 0).cast(pa.string()),
        schema_version=pa.repeat(pa.scalar(version), n),
        ra_deg=decoded.numbers("diaSource.ra"),
        dec_deg=decoded.numbers("diaSource.dec"),
        mjd_tai=mjd,
        band=band,
        flux_njy=flux,
        flux_err_njy=err,
        reliability=np.where((score >= 0) & (score <= 1), score, np.nan),
        is_solar_system=in_solar_system | decoded.given("ssSource") | decoded.given("ssObject"),
        is_simulated=simulated.to_numpy(zero_copy_only=False),
        light_curve=light_curve_columns(
            n,
            (
                now,
                _points(decoded, "prvDiaSources", DETECTION),
                _points(decoded, "prvDiaForcedSources", FORCED),
                _points(decoded, "prvDiaNondetectionLimits", UPPER_LIMIT),
            ),
        ),
        survey_fields=survey_struct(decoded, SURVEY_FIELDS, PATHS),
        refusals=(
            Refusal(
                decoded.given("diaSource.psfFlux") & ~np.isfinite(flux),
                "bad_flux",
                lambda i: f"psfFlux is {flux[i]}",
            ),
        ),
    )


LSST = Survey(
    name="lsst",
    version_of=version_of,
    projection=PROJECTION,
    survey_fields=SURVEY_FIELDS,
    to_alerts=to_alerts,
)
