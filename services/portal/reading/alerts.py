"""Alerts and objects out of the database, as one caller may see them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from services.portal.problems import ProblemError, not_found
from services.portal.reading.seen import Sight
from shared.archive.history import ObjectHistory, read_histories
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.light_curves.bands import BANDS
from shared.store import Collection, Store

LONGEST_ID = 200


async def history_of(
    store: Store, sight: Sight, object_id: str, survey: str | None = None
) -> ObjectHistory:
    """The history of one object, without what the caller may not see.

    Raises
    ------
    ProblemError
        404, if there is none to see; 409, if several surveys have that name.
    """
    found = [
        history
        for history in await read_histories(store, object_id)
        if sight.sees(history.survey) and survey in (None, history.survey)
    ]
    if not found:
        raise not_found(f"object {object_id}")
    if len(found) > 1:
        names = ", ".join(one.survey for one in found)
        raise ProblemError(409, f"several surveys have that object: ?survey= one of {names}")
    return replace(found[0], alerts=[sight.of_alert(alert) for alert in found[0].alerts])


async def alert_of(
    store: Store, sight: Sight, alert_id: str, survey: str | None = None
) -> dict[str, Any]:
    """One alert, all its columns.

    Raises
    ------
    ProblemError
        404, if there is none to see; 409, if several surveys have that name.
    """
    query = {"alert_ids": alert_id, **({"survey": survey} if survey else {})}
    found: dict[str, dict[str, Any]] = {}
    async for document in store.stream(
        Collection.ENVELOPES, query, fields=["survey", "alert_ids", "batch"]
    ):
        if not sight.sees(document["survey"]):
            continue
        row = document["alert_ids"].index(alert_id)
        batch = read_envelope(document["batch"])
        found[document["survey"]] = batch.slice(row, 1).record_batch.to_pylist()[0]
    if not found:
        raise not_found(f"alert {alert_id}")
    if len(found) > 1:
        raise ProblemError(409, f"several surveys have it: ?survey= one of {', '.join(found)}")
    return sight.of_alert(as_shown(next(iter(found.values()))))


def as_shown(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert with names of bands instead of their codes."""
    codes = alert.get("lc_band")
    if codes is None:
        return alert
    return {**alert, "lc_band": [BANDS[code] if 0 <= code < len(BANDS) else None for code in codes]}


async def alerts_of_night(
    store: Store,
    sight: Sight,
    survey: str,
    night: int,
    limit: int,
    after: str | None,
    *,
    newest_first: bool = False,
) -> tuple[list[dict[str, Any]], str | None]:
    """Alerts of a night, envelope by envelope; and the envelope's ``_id`` to go on behind.

    A page may be longer than ``limit`` by what its last envelope holds.
    """
    if not sight.sees(survey):
        return [], None
    query: dict[str, Any] = {"survey": survey, "night": night}
    if after is not None:
        query["_id"] = {"$gt": after}
    sort = [("timestamp_ms", -1)] if newest_first else [("_id", 1)]
    alerts: list[dict[str, Any]] = []
    last: str | None = None
    read = 0
    async for document in store.stream(
        Collection.ENVELOPES, query, fields=["batch"], sort=sort, limit=_MOST_ENVELOPES
    ):
        last, read = document["_id"], read + 1
        with contextlib.suppress(RejectedRecordError):
            batch = read_envelope(document["batch"]).record_batch
            shown = [name for name in _SHORT if name in batch.schema.names]
            alerts += batch.select(shown).to_pylist()
        if len(alerts) >= limit:
            return alerts, last
    return alerts, last if read == _MOST_ENVELOPES else None


_MOST_ENVELOPES = 50
_SHORT = (
    "alert_id", "survey", "object_id", "ra_deg", "dec_deg", "mjd_tai", "band", "flux_njy",
    "flux_err_njy", "reliability", "is_solar_system", "is_simulated",
)  # fmt: skip
"""Columns of an alert in a list."""
