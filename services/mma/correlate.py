"""The verb: alerts of a batch get the events whose region and window hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from services.mma.candidates import Candidates
from services.mma.events import Snapshot
from services.mma.evidence import NOTHING_MEASURED, Evidence, Measured, weigh
from services.mma.matches import Matches
from services.mma.matching import associations_of, match, product_role
from shared.alert_batch import AlertBatch
from shared.schemas.alert import ASSOCIATION, CORRELATED
from shared.schemas.association import Association

_WEIGHED = ("volume_level", "ln_bayes", "p_local", "p_global", "joint_far_hz")


@dataclass(frozen=True, slots=True)
class Correlated:
    """A batch with its ``associations`` column, and the same as records."""

    batch: AlertBatch
    candidates: Candidates
    associations: Sequence[Association]


def correlate(
    batch: AlertBatch,
    snapshot: Snapshot,
    max_credible_level: float,
    measured: Measured = NOTHING_MEASURED,
) -> Correlated:
    """Associate the alerts of ``batch`` with the active events of ``snapshot``.

    Adds the column ``associations``: a list, empty where nothing matches, best credible level
    first. Everything is computed by arrays; only what matches becomes records. ``measured``
    is the density of new transients, of real and of simulated alerts.
    """
    candidates = Candidates.of_alerts(batch)
    matches = match(candidates, snapshot, max_credible_level)
    evidence = weigh(candidates, snapshot, matches, measured)
    (field,) = CORRELATED
    column = _column(len(batch), candidates, snapshot, matches, evidence)
    return Correlated(
        batch=batch.with_columns({field: column}),
        candidates=candidates,
        associations=associations_of(candidates, snapshot, matches, evidence),
    )


def _column(
    alerts: int,
    candidates: Candidates,
    snapshot: Snapshot,
    matches: Matches,
    evidence: Evidence,
) -> pa.ListArray:
    """The pairs as list<struct>, one list per alert."""
    offsets = np.zeros(alerts + 1, dtype=np.int32)
    np.cumsum(np.bincount(matches.row, minlength=alerts), out=offsets[1:])
    events = [snapshot.events[int(index)] for index in matches.event]
    simulated = candidates.flags("is_simulated")[matches.row]
    roles = [
        product_role(event.notice.role, is_simulated=bool(is_simulated))
        for event, is_simulated in zip(events, simulated, strict=True)
    ]
    columns = {
        "event_id": pa.array([e.notice.event_id for e in events], pa.string()),
        "notice_type": pa.array([e.notice.notice_type for e in events], pa.string()),
        "event_version": pa.array([e.version for e in events], pa.int32()),
        "role": pa.array(roles, pa.string()),
        "credible_level": pa.array(matches.credible_level, pa.float64()),
        "separation_deg": pa.array(matches.separation_deg, pa.float64(), from_pandas=True),
        "time_offset_days": pa.array(matches.time_offset_days, pa.float64()),
        "tier": pa.array(evidence.tier, pa.string()),
    }
    for name in _WEIGHED:
        columns[name] = pa.array(getattr(evidence, name), pa.float64(), from_pandas=True)
    values = pa.StructArray.from_arrays(
        [columns[member.name] for member in ASSOCIATION], fields=list(ASSOCIATION)
    )
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=CORRELATED[0].type)
