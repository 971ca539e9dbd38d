"""A made-up association, for tests and benches."""

from __future__ import annotations

from typing import Any

from shared.schemas.association import Association


def association(**changes: Any) -> Association:
    """An association of a ZTF alert with a gamma-ray burst, ``changes`` apart."""
    given: dict[str, Any] = {
        "state": "new",
        "event_id": "GRB261122A",
        "notice_id": "ab" * 16,
        "notice_type": "fermi_gbm",
        "messenger": "gamma_ray",
        "notice_ivorn": "ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos2026-11-22T01:02:03.45_1",
        "event_version": 2,
        "event_role": "observation",
        "event_time": "2026-11-21T20:00:00.000Z",
        "event_mjd_tai": 61365.8337704,
        "far_hz": 1.5e-9,
        "role": "observation",
        "is_simulated": False,
        "credible_level": 0.42,
        "searched_area_deg2": 31.5,
        "separation_deg": 2.25,
        "time_offset_days": 0.25,
        "survey": "ztf",
        "alert_id": "3141592653589793",
        "object_id": "ZTF26abcdefg",
        "ra_deg": 210.910674637,
        "dec_deg": -54.3116510708,
        "mjd_tai": 61366.0 + 37 / 86400,
        "first_detection_mjd_tai": 61366.0,
        "band": "r",
        "flux_njy": 36307.80547701,
        "flux_err_njy": 500.0,
        "reliability": 0.97,
        "distance_mpc": 120.5,
        "distance_err_mpc": 12.0,
        "joint_far_hz": 3.2e-10,
        "p_local": 0.01,
        "p_global": 0.26,
        "ln_bayes": 5.5,
        "rank": 1,
        "tier": "silver",
        "origin_topic": "ztf_alerts",
        "origin_partition": 1,
        "origin_offset": 271828,
    }
    return Association.model_validate(given | changes)
