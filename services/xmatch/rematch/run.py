"""The verb: nights of the archive in, updates about what has changed out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.xmatch.rematch.compare import Known, changes_of, judged
from services.xmatch.rematch.latest import Rows, alerts_of
from shared.alert_batch import AlertBatch
from shared.kafka.records import Message
from shared.schemas.alert import INGESTED, SURVEY_FIELDS
from shared.schemas.matched import DESCRIBED
from shared.schemas.update import MAX_MATCHES, Update
from shared.store import Collection as Kept
from shared.store import Store

SOURCE = "rematch"
_GIVEN = (*(f.name for f in INGESTED), SURVEY_FIELDS)
_DESCRIBED = tuple(f.name for f in DESCRIBED)

MatchAgain = Callable[[AlertBatch], AlertBatch]
"""All that xmatch does to a batch as ingest wrote it."""
Send = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(slots=True)
class Summary:
    """What a run has found."""

    objects: int = 0
    changed: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Sources by catalog and by what happened to them."""

    def count(self, update: Update) -> None:
        """Count one update."""
        self.changed += 1
        for change in update.changes:
            self.changes[change.catalog, change.what] += 1


@dataclass(frozen=True, slots=True)
class Rematch:
    """How to match again.

    Parameters
    ----------
    match_again
        xmatch's own code.
    catalogs
        Names of the catalogs whose matches are judged: those that are open here.
    watched
        Whether hits of watchlists and regions are judged.
    send
        Sends updates and returns when they are acknowledged; nothing is sent if None.
    """

    store: Store
    match_again: MatchAgain
    catalogs: Collection[str]
    watched: bool
    send: Send | None

    async def carry_out(
        self, rows: Rows, summary: Summary, advanced: Callable[[int], None] = lambda _: None
    ) -> None:
        """Match the alerts of ``rows`` again.

        Raises
        ------
        UpstreamUnavailableError
            If the database is away. What was sent stays, and will not be sent again.
        """
        async for batch in alerts_of(self.store, rows):
            before = await self._known(batch)
            updates = self.updates_of(batch, before)
            for update in updates:
                summary.count(update)
            if updates and self.send is not None:
                await self.send([Message(u.to_json(), key=u.key) for u in updates])
            summary.objects += len(batch)
            advanced(len(batch))

    def updates_of(self, batch: AlertBatch, before: Sequence[Known]) -> list[Update]:
        """The updates about those alerts of a batch whose matches differ from ``before``."""
        asked_ms = int(time.time() * 1000)
        names = [name for name in batch.record_batch.schema.names if name in _GIVEN]
        again = self.match_again(AlertBatch(batch.record_batch.select(names)))
        found = again.record_batch
        columns = [n for n in ("alert_id", "matches", "watchlists", "regions", *_DESCRIBED)
                   if n in found.schema.names]  # fmt: skip
        by_alert = {row["alert_id"]: row for row in found.select(columns).to_pylist()}
        places = ("survey", "object_id", "alert_id", "ra_deg", "dec_deg")
        alerts = batch.record_batch.select(list(places)).to_pylist()
        updates = []
        for alert, known in zip(alerts, before, strict=True):
            row = by_alert.get(alert["alert_id"])
            if row is None:  # not on the sphere: xmatch has set it aside then as now
                continue
            after = judged(known, Known.of(row), self.catalogs, watched=self.watched)
            changes = changes_of(known, after)
            if changes:
                updates.append(
                    Update(
                        source=SOURCE,
                        **alert,
                        matches=tuple(after.matches[:MAX_MATCHES]),
                        changes=tuple(changes),
                        described=_described(row, after),
                        asked_ms=asked_ms,
                        answered_ms=int(time.time() * 1000),
                    )
                )
        return updates

    async def _known(self, batch: AlertBatch) -> list[Known]:
        """What is known of each alert: its own columns, or what an earlier run has said of it."""
        query = {"fields.alert_id": {"$in": batch.strings("alert_id")}, "fields.source": SOURCE}
        told: dict[tuple[str, str], Update] = {}
        documents = await self.store.find(Kept.UPDATES, query, fields=["value"])
        updates = [Update.from_json(document["value"]) for document in documents]
        for update in sorted(updates, key=lambda one: one.asked_ms):
            told[update.survey, update.alert_id] = update
        names = ("survey", "alert_id", "matches", "watchlists", "regions")
        columns = [name for name in names if name in batch.record_batch.schema.names]
        known = []
        for row in batch.record_batch.select(columns).to_pylist():
            earlier = told.get((row["survey"], row["alert_id"]))
            known.append(
                Known.of(row)
                if earlier is None
                else Known.of({**earlier.described, "matches": earlier.matches})
            )
        return known


def _described(row: Mapping[str, Any], after: Known) -> dict[str, Any]:
    """What the other columns of xmatch say now: enough to know what is known."""
    described = {name: row[name] for name in _DESCRIBED if row.get(name) is not None}
    return {**described, "watchlists": list(after.watchlists), "regions": list(after.regions)}
