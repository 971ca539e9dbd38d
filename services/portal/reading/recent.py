"""Alerts that are not packed yet: where they are, and how many there are of each night."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from services.portal.reading.seen import Sight
from shared.archive.snapshots import archive_root, current_snapshot
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.sky.separation import separation_arcsec
from shared.store import Collection, Store

_MOST_AT_START = 3000
"""Envelopes that are read when the first question comes; afterwards only what is new."""
_MOST_ALERTS = 3_000_000
_LOOK_EVERY_S = 3.0
_OVERLAP_MS = 5_000
"""Partitions are not in step: what came so shortly before the last look is looked at again."""
_POSITIONS = ("object_id", "ra_deg", "dec_deg", "mjd_tai")

PlaceRow = tuple[str, str, float, float, float, float, int]
"""Survey, object, position, first and last MJD, alerts."""


@dataclass(frozen=True, slots=True)
class Cone:
    """A circle on the sky, ICRS, degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


@dataclass(frozen=True, slots=True)
class _Part:
    """The alerts of one envelope."""

    survey: str
    night: int
    positions: pa.Table


@dataclass
class RecentAlerts:
    """What the database has and the archive's Parquet has not; read when it is asked for."""

    store: Store
    state_dir: Path
    _parts: dict[str, _Part] = field(default_factory=dict)
    _newest_ms: int | None = None
    _looked_s: float = -math.inf
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def inside(self, cone: Cone, sight: Sight) -> list[PlaceRow]:
        """Objects with alerts in the cone, of surveys that the caller may see."""
        await self._look()
        by_survey: dict[str, list[pa.Table]] = {}
        for part in self._parts.values():
            by_survey.setdefault(part.survey, []).append(part.positions)
        found: list[PlaceRow] = []
        for survey, tables in by_survey.items():
            if sight.sees(survey):
                found += await asyncio.to_thread(_inside, survey, tables, cone)
        return found

    async def counts(self, sight: Sight) -> dict[tuple[int, str], int]:
        """Alerts by night and survey, of surveys that the caller may see."""
        await self._look()
        counts: Counter[tuple[int, str]] = Counter()
        for part in self._parts.values():
            if sight.sees(part.survey):
                counts[part.night, part.survey] += part.positions.num_rows
        return dict(counts)

    async def _look(self) -> None:
        """Read what has come since the last look; forget what is packed now."""
        async with self._lock:
            if time.monotonic() - self._looked_s < _LOOK_EVERY_S:
                return
            query = (
                {}
                if self._newest_ms is None
                else {"timestamp_ms": {"$gte": self._newest_ms - _OVERLAP_MS}}
            )
            listed = await self.store.find(
                Collection.ENVELOPES, query, fields=["timestamp_ms"],
                sort=[("timestamp_ms", -1)], limit=_MOST_AT_START,
            )  # fmt: skip
            missing = [one["_id"] for one in listed if one["_id"] not in self._parts]
            for start in range(0, len(missing), 50):
                await self._read(missing[start : start + 50])
            if listed:
                self._newest_ms = max(listed[0]["timestamp_ms"], self._newest_ms or 0)
            self._forget(await asyncio.to_thread(self._packed))
            self._looked_s = time.monotonic()

    async def _read(self, places: list[str]) -> None:
        async for document in self.store.stream(
            Collection.ENVELOPES, {"_id": {"$in": places}}, fields=["survey", "night", "batch"]
        ):
            if document["survey"] is None:
                continue
            with contextlib.suppress(RejectedRecordError):
                batch = read_envelope(document["batch"]).record_batch.select(list(_POSITIONS))
                # Copied, so that the whole envelope is not kept in memory.
                rows = batch.take(pa.array(np.arange(batch.num_rows)))
                self._parts[document["_id"]] = _Part(
                    document["survey"], document["night"], pa.Table.from_batches([rows])
                )

    def _packed(self) -> dict[str, set[int]]:
        root = archive_root(self.state_dir)
        snapshots = (current_snapshot(root, f.parent.name) for f in root.glob("*/current"))
        return {one.survey: set(one.nights) for one in snapshots if one is not None}

    def _forget(self, packed: dict[str, set[int]]) -> None:
        alerts = sum(part.positions.num_rows for part in self._parts.values())
        for key, part in list(self._parts.items()):
            if alerts > _MOST_ALERTS or part.night in packed.get(part.survey, set()):
                alerts -= part.positions.num_rows
                del self._parts[key]


def _inside(survey: str, tables: list[pa.Table], cone: Cone) -> list[PlaceRow]:
    table = pa.concat_tables(tables)
    ra, dec = (table.column(name).to_numpy() for name in ("ra_deg", "dec_deg"))
    near = separation_arcsec(ra, dec, cone.ra_deg, cone.dec_deg) <= cone.radius_deg * 3600.0
    rows: dict[str, PlaceRow] = {}
    for row in sorted(table.filter(pa.array(near)).to_pylist(), key=lambda one: one["mjd_tai"]):
        name, mjd = row["object_id"], row["mjd_tai"]
        before = rows.get(name)
        first, count = (before[4], before[6]) if before else (mjd, 0)
        rows[name] = (survey, name, row["ra_deg"], row["dec_deg"], first, mjd, count + 1)
    return list(rows.values())
