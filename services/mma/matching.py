"""Alerts against events: which lie in whose region and window."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt

from services.mma.candidates import FIRST_DETECTION, SLIM_SCHEMA, Candidates
from services.mma.events import ActiveEvent, Snapshot
from services.mma.evidence import Evidence
from services.mma.matches import Matches
from services.mma.skymaps.multi_order import MultiOrderMap
from shared.schemas.association import Association
from shared.schemas.notice import Role
from shared.sky.separation import separation_arcsec, unit_vectors

_SAID_OF_ALERTS = [name for name in SLIM_SCHEMA.names if name in Association.model_fields]


def match(candidates: Candidates, snapshot: Snapshot, max_credible_level: float) -> Matches:
    """Find every alert inside the region and the time window of every active event.

    A real alert never meets a test or an injection; a simulated one meets everything (what
    comes of it is marked). Solar-system bodies meet nothing. An object that was detected before
    the window began is no counterpart.

    Parameters
    ----------
    candidates
        ``n`` alerts.
    snapshot
        Active events.
    max_credible_level
        Largest credible level that counts as inside.
    """
    if not snapshot.events or not len(candidates):
        return _concatenated([])
    first = candidates.numbers(FIRST_DETECTION)
    near_in_time = (snapshot.window_start <= first.max()) & (snapshot.window_end >= first.min())
    if not near_in_time.any():
        return _concatenated([])
    indices = np.flatnonzero(near_in_time)
    possible = _possible(candidates, first, snapshot, indices)
    ra, dec, cells = (
        candidates.numbers("ra_deg"),
        candidates.numbers("dec_deg"),
        candidates.healpix29,
    )
    parts = []
    for line in np.flatnonzero(possible.any(axis=1)):
        rows = np.flatnonzero(possible[line])
        index = int(indices[line])
        event = snapshot.events[index]
        levels = event.region.credible_levels(ra[rows], dec[rows], cells[rows])
        inside = levels <= max_credible_level
        if inside.any():
            kept = rows[inside]
            parts.append(
                _pairs(event, index, kept, levels[inside], first[kept], ra[kept], dec[kept])
            )
    return _concatenated(parts)


def _possible(
    candidates: Candidates,
    first: npt.NDArray[np.float64],
    snapshot: Snapshot,
    indices: npt.NDArray[np.intp],
) -> npt.NDArray[np.bool_]:
    """Shape (events, alerts): right time, right kind, inside the event's cap."""
    start, end = snapshot.window_start[indices, None], snapshot.window_end[indices, None]
    possible = (start <= first) & (first <= end) & ~candidates.flags("is_solar_system")
    possible &= snapshot.is_real[indices, None] | candidates.flags("is_simulated")
    cosines = snapshot.cap_cosines[indices]
    if possible.any() and (cosines > -2.0).any():
        places = unit_vectors(candidates.numbers("ra_deg"), candidates.numbers("dec_deg"))
        possible &= snapshot.cap_vectors[indices] @ places.T >= cosines[:, None]
    return np.asarray(possible, dtype=bool)


def _pairs(
    event: ActiveEvent,
    index: int,
    rows: npt.NDArray[np.intp],
    levels: npt.NDArray[np.float64],
    first: npt.NDArray[np.float64],
    ra_deg: npt.NDArray[np.float64],
    dec_deg: npt.NDArray[np.float64],
) -> Matches:
    place = event.notice.localization
    if place is None or isinstance(event.region, MultiOrderMap):
        separation = np.full(len(rows), np.nan)
    else:
        separation = separation_arcsec(place.ra_deg, place.dec_deg, ra_deg, dec_deg) / 3600.0
    return Matches(
        row=rows,
        event=np.full(len(rows), index, dtype=np.intp),
        credible_level=levels,
        separation_deg=separation,
        time_offset_days=first - event.notice.event_mjd_tai,
    )


def _concatenated(parts: list[Matches]) -> Matches:
    if not parts:
        nothing = np.empty(0)
        return Matches(
            np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), nothing, nothing, nothing
        )
    row, event, level, separation, offset = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("row", "event", "credible_level", "separation_deg", "time_offset_days")
    )
    order = np.lexsort((event, level, row))
    return Matches(row[order], event[order], level[order], separation[order], offset[order])


def product_role(event_role: Role, *, is_simulated: bool) -> Role:
    """Role of whatever is told about a pair: observation only if both sides are real."""
    return "test" if is_simulated and event_role == "observation" else event_role


def associations_of(
    candidates: Candidates, snapshot: Snapshot, matches: Matches, evidence: Evidence
) -> list[Association]:
    """The pairs as records, all as ``new``."""
    if not len(matches):
        return []
    # Each alert and each event once, however many pairs they are in.
    kept, of_row = np.unique(matches.row, return_inverse=True)
    alerts = candidates.record_batch.select(_SAID_OF_ALERTS).take(kept).to_pylist()
    of_event = {int(i): _of_event(snapshot.events[int(i)]) for i in np.unique(matches.event)}
    separations = [None if math.isnan(deg) else deg for deg in matches.separation_deg.tolist()]
    pairs = zip(
        [alerts[row] for row in of_row.tolist()],
        [of_event[index] for index in matches.event.tolist()],
        evidence.said(), matches.credible_level.tolist(), separations,
        matches.time_offset_days.tolist(), strict=True,
    )  # fmt: skip
    return [
        Association.model_validate(
            {
                **alert,
                **event,
                **said,
                "role": product_role(
                    cast(Role, event["event_role"]), is_simulated=bool(alert["is_simulated"])
                ),
                "credible_level": level,
                "separation_deg": separation,
                "time_offset_days": offset,
            }
        )
        for alert, event, said, level, separation, offset in pairs
    ]


def _of_event(event: ActiveEvent) -> dict[str, object]:
    """What an association says of its event."""
    notice = event.notice
    return {
        "state": "new",
        "event_id": notice.event_id,
        "notice_id": notice.notice_id,
        "notice_type": notice.notice_type,
        "messenger": notice.messenger,
        "notice_ivorn": notice.ivorn,
        "event_version": event.version,
        "event_role": notice.role,
        "event_time": notice.event_time,
        "event_mjd_tai": notice.event_mjd_tai,
        "far_hz": notice.far_hz,
        "role": notice.role,
    }
