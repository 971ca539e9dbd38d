"""The alert that a test notice of ours is meant to find: so its association can come back.

It exists only beside its event, in the worker's memory: no survey sent it, no filter sees it. It
counts as simulated, so whatever comes of it is a test.
"""

from __future__ import annotations

import pyarrow as pa

from services.mma.candidates import (
    DISTANCE,
    DISTANCE_ERROR,
    FIRST_DETECTION,
    HISTORY_START,
    LAST_NON_DETECTION,
    RATE,
    SLIM_SCHEMA,
    Candidates,
)
from services.mma.event_store import INJECTION
from services.mma.events import ActiveEvent
from shared.sky.healpix import healpix29_of

SURVEY = "injection"
_AFTER_DAYS = 0.01


def injected_alert(event: ActiveEvent) -> Candidates | None:
    """An alert in the middle of a test notice's region, minutes after it; None for other events."""
    notice = event.notice
    place = notice.localization
    if not notice.event_id.startswith(INJECTION) or notice.role == "observation" or place is None:
        return None
    seen = notice.event_mjd_tai + _AFTER_DAYS
    row = {
        "survey": SURVEY,
        "alert_id": notice.notice_id,
        "object_id": SURVEY,
        "ra_deg": place.ra_deg,
        "dec_deg": place.dec_deg,
        "healpix29": int(healpix29_of([place.ra_deg], [place.dec_deg])[0]),
        "mjd_tai": seen,
        "band": None,
        "flux_njy": None,
        "flux_err_njy": None,
        "reliability": None,
        "is_solar_system": False,
        "is_simulated": True,
        "origin_topic": SURVEY,
        "origin_partition": 0,
        "origin_offset": 0,
        FIRST_DETECTION: seen,
        LAST_NON_DETECTION: notice.event_mjd_tai - _AFTER_DAYS,
        HISTORY_START: None,
        RATE: None,
        DISTANCE: None,
        DISTANCE_ERROR: None,
    }
    return Candidates(pa.RecordBatch.from_pylist([row], schema=SLIM_SCHEMA))
