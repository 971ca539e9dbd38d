"""``/statistics``: how many alerts, of what, how fast; night by night."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone
from services.portal.problems import not_found
from services.portal.reading.seen import Sight
from shared.archive.nights import night_date
from shared.archive.snapshots import archive_root, snapshots_for
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.store import Collection

router = APIRouter(prefix="/statistics", tags=["statistics"])

_SAMPLE = 100


class NightCount(BaseModel):
    """Alerts of one night of one survey."""

    survey: str = Field(title="Survey", examples=["ztf"])
    night: int = Field(title="MJD of the evening", examples=[61366])
    date: str = Field(title="The evening's date", examples=["2026-11-22"])
    alerts: int = Field(title="Alerts")
    is_packed: bool = Field(title="In the archive's Parquet")


class NightContent(BaseModel):
    """What a sample of a night's newest alerts is made of."""

    survey: str = Field(title="Survey")
    night: int = Field(title="MJD of the evening")
    sampled: int = Field(title="Alerts looked at: the newest")
    objects: int = Field(title="Different objects among them")
    bands: dict[str, int] = Field(title="Alerts by passband")
    classes: dict[str, dict[str, int]] = Field(title="By classifier: alerts by class")
    solar_system: int = Field(title="Alerts of known solar-system bodies")
    simulated: int = Field(title="Alerts of a simulator")
    associated: int = Field(title="Alerts that may belong to an event of another messenger")
    per_second: float | None = Field(None, title="Alerts a second while they came")


@router.get("/nights")
async def nights(
    caller: Anyone,
    backends: BackendsOf,
    survey: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 60,
) -> list[NightCount]:
    """Alerts per night and survey, the latest night first."""
    sight = Sight.of(caller, backends.settings)
    found = await _counts(backends, sight)
    rows = [
        NightCount(
            survey=name, night=night, date=night_date(night), alerts=alerts, is_packed=is_packed
        )
        for (night, name), (alerts, is_packed) in sorted(found.items(), reverse=True)
        if survey in (None, name)
    ]
    return rows[:limit]


@router.get("/nights/{night}")
async def night_(
    night: Annotated[int, Path(ge=0, le=200_000, description="MJD of the evening")],
    caller: Anyone,
    backends: BackendsOf,
    survey: Annotated[str, Query(max_length=40, examples=["ztf"])] = "ztf",
) -> NightContent:
    """What a night's newest alerts are made of: bands, classes, rate."""
    sight = Sight.of(caller, backends.settings)
    documents: list[dict[str, Any]] = []
    if sight.sees(survey):
        documents = await backends.store.find(
            Collection.ENVELOPES, {"survey": survey, "night": night},
            fields=["batch", "timestamp_ms"], sort=[("_id", -1)], limit=_SAMPLE,
        )  # fmt: skip
    if not documents:
        raise not_found(f"night {night} of {survey} in the database")
    return await asyncio.to_thread(_content, survey, night, documents)


async def _counts(backends: Backends, sight: Sight) -> dict[tuple[int, str], tuple[int, bool]]:
    """Alerts by night and survey, and whether they are packed."""
    snapshots = await asyncio.to_thread(
        snapshots_for, archive_root(backends.state_dir), sight.reader, sight.private
    )
    counts: dict[tuple[int, str], tuple[int, bool]] = {}
    for snapshot in snapshots:
        for night, packed in snapshot.nights.items():
            counts[night, snapshot.survey] = (packed.alerts, True)
    for place, alerts in (await backends.recent.counts(sight)).items():
        counts.setdefault(place, (alerts, False))
    return counts


def _content(survey: str, night: int, documents: list[dict[str, Any]]) -> NightContent:
    bands: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}
    objects: set[str] = set()
    sampled = solar_system = simulated = associated = 0
    for document in documents:
        try:
            batch = read_envelope(document["batch"]).record_batch
        except RejectedRecordError:
            continue
        names = batch.schema.names
        sampled += batch.num_rows
        objects.update(batch.column("object_id").to_pylist())
        bands.update(band or "none" for band in batch.column("band").to_pylist())
        solar_system += sum(map(bool, batch.column("is_solar_system").to_pylist()))
        simulated += sum(map(bool, batch.column("is_simulated").to_pylist()))
        if "associations" in names:
            associated += sum(map(bool, batch.column("associations").to_pylist()))
        for name in names:
            type_ = batch.schema.field(name).type
            if hasattr(type_, "get_field_index") and type_.get_field_index("class") >= 0:
                of = classes.setdefault(name, Counter())
                given = batch.column(name).to_pylist()
                of.update((one or {}).get("class") or "none" for one in given)
    stamps = [document["timestamp_ms"] for document in documents]
    span_s = (max(stamps) - min(stamps)) / 1000.0
    return NightContent(
        survey=survey, night=night, sampled=sampled, objects=len(objects), bands=dict(bands),
        classes={name: dict(of) for name, of in classes.items()}, solar_system=solar_system,
        simulated=simulated, associated=associated,
        per_second=sampled / span_s if span_s > 0 else None,
    )  # fmt: skip
