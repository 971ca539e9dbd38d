"""ZTF: Avro containers of one record, schemas 2.0 to 4.02.

Described at https://zwickytransientfacility.github.io/ztf-avro-alert/. What becomes what:

- ``jd`` is UTC at the *start* of the exposure; ``mjd_tai`` is TAI at its middle. The exposure
  is ``exptime`` long where the packet gives it (candidates from 3.3 on, ``fp_hists``) and 30 s,
  the public survey's, where it does not (``prv_candidates`` never do).
- ``magpsf``, ``sigmapsf`` are AB magnitudes of a positive flux; ``isdiffpos`` (t, 1: science
  minus reference; f, 0: the reverse) gives the sign.
- ``prv_candidates`` with ``magpsf`` are detections, those without are upper limits by
  ``diffmaglim`` (5 sigma).
- ``fp_hists`` are forced photometry: ``forcediffimflux`` (DN) with zero point ``magzpsci``.
- ``fid`` 1, 2, 3 is g, r, i. ``reliability`` is ``drb``, else ``rb``.
- -999, -99999 and the text "null" mean "not measured" and become null.
- A solar-system body is *here* if ``ssdistnr`` is below 5 arcsec (Fink's rule for known bodies);
  ZTF itself lists bodies as far as 30 arcsec away.
- Simulated packets carry ``publisher`` "Tocsin simulator" (and anything after it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.ingest.avro import Decoded, Projection
from services.ingest.avro.columns import short_code
from services.ingest.light_curves import Points, light_curve_columns
from services.ingest.surveys.base import (
    Floats,
    Refusal,
    Survey,
    SurveyAlerts,
    survey_struct,
)
from services.ingest.surveys.ztf_fields import TYPES
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.light_curves.photometry import (
    AB_ZERO_POINT_NJY,
    JD_MINUS_MJD,
    SECONDS_PER_DAY,
    flux_err_njy_of,
    flux_njy_of,
    mjd_tai_of_utc,
)

EXPOSURE_S = 30.0
"""Length of an exposure where the packet does not say."""
SIMULATOR = "Tocsin simulator"
"""What a simulated packet's ``publisher`` begins with."""
SOLAR_SYSTEM_RADIUS_ARCSEC = 5.0
SENTINELS = (-999.0, -99999.0)
_POSITIVE, _NEGATIVE = ("t", "1"), ("f", "0")

SURVEY_FIELDS = pa.struct([pa.field(name, type_) for name, type_ in TYPES.items()])
_PATHS = {name: f"candidate.{name}" for name in TYPES}

PROJECTION = Projection(
    scalars=(
        "objectId",
        "candid",
        "schemavsn",
        "publisher",
        *_PATHS.values(),
    ),
    lists={
        "prv_candidates": ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"),
        "fp_hists": (
            "jd",
            "fid",
            "exptime",
            "forcediffimflux",
            "forcediffimfluxunc",
            "magzpsci",
        ),
    },
    required=(
        "objectId",
        "candid",
        "candidate.jd",
        "candidate.fid",
        "candidate.ra",
        "candidate.dec",
        "candidate.magpsf",
        "candidate.sigmapsf",
        "candidate.isdiffpos",
    ),
)


def version_of(schema_name: str, schema: Mapping[str, Any]) -> str | None:
    """ZTF's schemas are called ``ztf.alert``, and carry a ``version`` since 1.1."""
    return str(schema.get("version", "")) if schema_name == "ztf.alert" else None


def measured(values: Floats) -> Floats:
    """``values`` with ZTF's sentinels as NaN, in place."""
    for sentinel in SENTINELS:
        values[values == sentinel] = np.nan
    return values


def mid_exposure_mjd_tai(jd_utc: Floats, exposure_s: Floats | float) -> Floats:
    """TAI modified Julian date at mid-exposure of a UTC Julian date at its start."""
    length = np.where(np.isfinite(exposure_s), exposure_s, EXPOSURE_S)
    length = np.where((length > 0) & (length < SECONDS_PER_DAY), length, EXPOSURE_S)
    start = mjd_tai_of_utc(jd_utc - JD_MINUS_MJD)
    return np.asarray(start + 0.5 * length / SECONDS_PER_DAY, dtype=np.float64)


def band_code_of(fid: Floats) -> npt.NDArray[np.int64]:
    """Band code of ZTF's filter number: 1 g, 2 r, 3 i happen to be Tocsin's own; else -1."""
    known = (fid == 1) | (fid == 2) | (fid == 3)
    return np.where(known, fid, -1).astype(np.int64)


def sign_of(texts: npt.NDArray[np.uint64]) -> Floats:
    """+1 or -1 by ``isdiffpos``, NaN if it is neither."""
    sign = np.full(len(texts), np.nan)
    for positive, negative in zip(_POSITIVE, _NEGATIVE, strict=True):
        sign[texts == short_code(positive)] = 1.0
        sign[texts == short_code(negative)] = -1.0
    return sign


def _history(decoded: Decoded) -> Points:
    """``prv_candidates``: detections, and limits where nothing was found."""
    prv = decoded.ragged("prv_candidates")
    flux = flux_njy_of(measured(prv.numbers("magpsf"))) * sign_of(prv.codes("isdiffpos"))
    err = flux_err_njy_of(flux, measured(prv.numbers("sigmapsf")))
    found = np.isfinite(flux)
    limit = flux_njy_of(measured(prv.numbers("diffmaglim"))) / 5.0
    return Points(
        alert=prv.packet,
        mjd_tai=mid_exposure_mjd_tai(prv.numbers("jd"), np.nan),
        flux_njy=flux,
        flux_err_njy=np.where(found, err, limit),
        band=band_code_of(prv.numbers("fid")),
        kind=np.where(found, DETECTION, UPPER_LIMIT),
    )


def _forced(decoded: Decoded) -> Points:
    """``fp_hists``: forced photometry at the object's position."""
    fp = decoded.ragged("fp_hists")
    njy_per_dn = 10.0 ** ((AB_ZERO_POINT_NJY - measured(fp.numbers("magzpsci"))) / 2.5)
    return Points(
        alert=fp.packet,
        mjd_tai=mid_exposure_mjd_tai(fp.numbers("jd"), fp.numbers("exptime")),
        flux_njy=measured(fp.numbers("forcediffimflux")) * njy_per_dn,
        flux_err_njy=measured(fp.numbers("forcediffimfluxunc")) * njy_per_dn,
        band=band_code_of(fp.numbers("fid")),
        kind=np.full(len(fp), FORCED),
    )


def _text(decoded: Decoded, path: str) -> pa.Array:
    text = decoded.texts.get(path)
    return pa.nulls(len(decoded), pa.string()) if text is None else text


def _signs(decoded: Decoded) -> Floats:
    text = _text(decoded, "candidate.isdiffpos")
    sign = np.full(len(decoded), np.nan)
    for value, words in ((1.0, _POSITIVE), (-1.0, _NEGATIVE)):
        sign[pc.is_in(text, pa.array(words)).to_numpy(zero_copy_only=False)] = value
    return sign


def _own_fields(decoded: Decoded) -> pa.StructArray:
    named = _text(decoded, "candidate.ssnamenr")
    if "candidate.ssnamenr" in decoded.texts:
        named = pc.if_else(pc.equal(named, "null"), None, named)
    texts = {**decoded.texts, "candidate.ssnamenr": named}
    cleaned = Decoded(
        decoded.rows, decoded.faults, decoded.raw, decoded.valid,
        decoded.columns, texts, decoded.lists,
    )  # fmt: skip
    return survey_struct(cleaned, SURVEY_FIELDS, _PATHS, SENTINELS)


def to_alerts(decoded: Decoded, version: str) -> SurveyAlerts:
    """ZTF packets as alerts; the module says what becomes what."""
    n = len(decoded)

    def candidate(name: str) -> Floats:
        return measured(decoded.numbers(f"candidate.{name}"))

    magnitude, sign, band = candidate("magpsf"), _signs(decoded), band_code_of(candidate("fid"))
    flux = flux_njy_of(magnitude) * sign
    err = flux_err_njy_of(flux, candidate("sigmapsf"))
    mjd = mid_exposure_mjd_tai(candidate("jd"), candidate("exptime"))
    score = np.where(np.isfinite(candidate("drb")), candidate("drb"), candidate("rb"))
    distance = candidate("ssdistnr")
    now = Points(np.arange(n), mjd, flux, err, band, np.full(n, DETECTION))
    versions = pc.coalesce(_text(decoded, "schemavsn"), pa.scalar(version))
    simulated = pc.starts_with(pc.fill_null(_text(decoded, "publisher"), ""), SIMULATOR)
    candid, has_candid = decoded.integers("candid"), decoded.given_integer("candid")
    return SurveyAlerts(
        alert_id=pa.array(candid, mask=~has_candid).cast(pa.string()),
        object_id=_text(decoded, "objectId"),
        schema_version=versions,
        ra_deg=candidate("ra"),
        dec_deg=candidate("dec"),
        mjd_tai=mjd,
        band=band,
        flux_njy=flux,
        flux_err_njy=err,
        reliability=np.where((score >= 0) & (score <= 1), score, np.nan),
        is_solar_system=(distance >= 0) & (distance < SOLAR_SYSTEM_RADIUS_ARCSEC),
        is_simulated=simulated.to_numpy(zero_copy_only=False),
        light_curve=light_curve_columns(n, (now, _history(decoded), _forced(decoded))),
        survey_fields=_own_fields(decoded),
        refusals=(
            Refusal(
                np.isnan(sign),
                "bad_flux_sign",
                lambda i: "isdiffpos is none of t, 1, f, 0",
            ),
        ),
    )


ZTF = Survey(
    name="ztf",
    version_of=version_of,
    projection=PROJECTION,
    survey_fields=SURVEY_FIELDS,
    to_alerts=to_alerts,
)
