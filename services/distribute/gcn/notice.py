"""Write an association as a JSON notice of GCN's unified schema.

The core schema is https://github.com/nasa-gcn/gcn-schema (v7.2); ``alert.schema.json`` beside this
file is put together of its parts, as a mission's own schema is. A notice is also valid against the
schema of BOOM's notices, so that whoever reads those reads ours: what is more (credible level,
distance, false alarm rate, what it supersedes, retractions) stands where that schema leaves room.
The same association and time of writing give the same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from services.distribute.voevents.packet import POSITION_ERROR_DEG, Author
from shared.light_curves.photometry import (
    MAGNITUDE_ERROR_FACTOR,
    magnitude_ab_of,
    mjd_utc_of_tai,
)
from shared.schemas.association import Association

SCHEMA_FILE = Path(__file__).parent / "alert.schema.json"
SCHEMA_URL = "https://gcn.nasa.gov/schema/main/gcn/notices/tocsin/alert.schema.json"
MISSION = "Tocsin"
_ALERT_TYPES = {"new": "initial", "updated": "update", "withdrawn": "retraction"}
_REF_TYPES = {"gravitational_wave": "GW", "neutrino": "neutrino", "gamma_ray": "GRB"}
_TELESCOPES = {"ztf": "Palomar 1.2m Oschin", "lsst": "Simonyi Survey Telescope"}
_INSTRUMENTS = {"ztf": "ZTF", "lsst": "LSSTCam"}
_FILTERS = {"ztf": "ztf{}", "lsst": "lsst{}"}
_ZERO_MJD = datetime(1858, 11, 17, tzinfo=UTC)
_CONTAINMENT = 0.68


def gcn_notice(association: Association, author: Author, written_ms: int) -> bytes:
    """The notice, UTF-8 JSON.

    Parameters
    ----------
    association
        What to say.
    author
        Who says it: the authority in the identifiers.
    written_ms
        When the association was made, Unix milliseconds.
    """
    written = datetime.fromtimestamp(written_ms / 1000, UTC)
    photometry = _photometry(association)
    return orjson.dumps(
        {
            "$schema": SCHEMA_URL,
            "mission": MISSION,
            "instrument": _INSTRUMENTS.get(association.survey, association.survey),
            "messenger": "EM",
            "record_number": association.event_version,
            "alert_datetime": _iso(written),
            "alert_tense": _tense(association),
            "alert_type": _ALERT_TYPES[association.state],
            "data": {
                "targets": [_target(association, author)],
                **({"photometry": [photometry]} if photometry else {}),
            },
        }
    )


def _tense(a: Association) -> str:
    """What is simulated is an injection; what follows up a test is a test."""
    if a.is_simulated:
        return "injection"
    is_real = a.role == "observation" and a.event_role == "observation"
    return "current" if is_real else "test"


def _target(a: Association, author: Author) -> dict[str, Any]:
    """The alert's object: Event, Localization, Statistics, Distance, and the event it may be."""
    far_hz = a.joint_far_hz if a.joint_far_hz is not None else a.far_hz
    return _present(
        {
            "event_name": a.object_id,
            "id": a.alert_id,
            "ra": a.ra_deg,
            "dec": a.dec_deg,
            "ra_dec_error": POSITION_ERROR_DEG,
            "containment_probability": _CONTAINMENT,
            "systematic_included": True,
            "far": far_hz,
            "p_astro": a.reliability,
            "luminosity_distance": a.distance_mpc,
            "luminosity_distance_error": a.distance_err_mpc,
            "gcn_crossmatch": [_crossmatch(a, author)],
        }
    )


def _crossmatch(a: Association, author: Author) -> dict[str, Any]:
    """FollowUp: the event, and every number about the pair in ``reference``."""
    supersedes = a.previous_notice_id
    if a.state == "withdrawn":
        supersedes = supersedes or a.notice_id
    return {
        "ref_type": _REF_TYPES.get(a.messenger, a.messenger),
        "ref_instrument": a.notice_type,
        "ref_ID": a.event_id,
        "reference": _present(
            {
                "notice": a.notice_ivorn or a.notice_id,
                "association": f"{author.ivorn}/{a.association_id}",
                "statement": a.delivery_id,
                "supersedes": f"{a.association_id}/{supersedes}" if supersedes else None,
                "reason": a.reason or None,
                "event_time": a.event_time,
                "event_far_hz": a.far_hz,
                "credible_level": a.credible_level,
                "volume_level": a.volume_level,
                "searched_area_deg2": a.searched_area_deg2,
                "separation_deg": a.separation_deg,
                "time_offset_days": a.time_offset_days,
                "ln_bayes": a.ln_bayes,
                "expected_chance_count": a.expected_chance_count,
                "p_local": a.p_local,
                "trials": a.trials,
                "p_global": a.p_global,
                "joint_far_hz": a.joint_far_hz,
                "rank": a.rank,
                "tier": a.tier,
            }
        ),
    }


def _photometry(a: Association) -> dict[str, Any] | None:
    """The alert's own detection; None where its flux is no magnitude."""
    if a.flux_njy is None or a.flux_njy <= 0:
        return None
    error = None
    if a.flux_err_njy is not None:
        error = round(MAGNITUDE_ERROR_FACTOR * a.flux_err_njy / a.flux_njy, 4)
    band = _FILTERS.get(a.survey, "{}").format(a.band) if a.band else None
    middle = _ZERO_MJD + timedelta(days=float(mjd_utc_of_tai(a.mjd_tai)))
    return _present(
        {
            "event_name": a.object_id,
            "observation_start": _iso(middle),
            "telescope": _TELESCOPES.get(a.survey),
            "instrument": _INSTRUMENTS.get(a.survey, a.survey),
            "filter": band,
            "mag": round(float(magnitude_ab_of(a.flux_njy)), 4),
            "mag_error": error,
            "mag_system": "AB",
        }
    )


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _present(members: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known: the schema has no null."""
    return {name: value for name, value in members.items() if value is not None}
