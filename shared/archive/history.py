"""One object's history: all that the archive's envelopes say about it, merged.

Every alert carries the light curve of its last weeks; together they overlap. Repeated alerts and
repeated points are dropped, and where two alerts disagree about a point the later one is right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope
from shared.schemas.update import Update
from shared.store import Collection, Document, Store

_SAME_EPOCH_DAYS = 1.0 / 86_400.0
"""Points of one band and kind closer than a second are one exposure, rounded differently."""
_LIGHT_CURVE = ("lc_mjd_tai", "lc_flux_njy", "lc_flux_err_njy", "lc_band", "lc_kind")


@dataclass(frozen=True, slots=True)
class LightCurve:
    """Photometry in order of time, all arrays of shape (n,); units as in ``RaggedLightCurves``."""

    mjd_tai: npt.NDArray[np.float64]
    flux_njy: npt.NDArray[np.float64]
    flux_err_njy: npt.NDArray[np.float64]
    band: npt.NDArray[np.int8]
    kind: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.mjd_tai)


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """An object of one survey."""

    survey: str
    object_id: str
    alerts: list[dict[str, Any]]
    """The alerts' columns, light curves left out, in order of time, each alert once."""
    light_curve: LightCurve
    associations: list[dict[str, Any]] = field(default_factory=list)
    """Scalars of the records of ``associations`` about the object, in order of writing."""
    updates: list[Update] = field(default_factory=list)
    """What became known after the alerts, in order of asking: each source's latest statement
    about each alert."""

    @property
    def latest(self) -> dict[str, Any]:
        """The latest alert."""
        return self.alerts[-1]

    @property
    def classifiers(self) -> list[str]:
        """Names of classifiers that were asked about any of the alerts."""
        names: dict[str, None] = {}
        for alert in self.alerts:
            names.update((n, None) for n, v in alert.items() if is_verdict(v))
        return list(names)


def is_verdict(value: Any) -> bool:
    """Whether a column's value is a classifier's answer (shared/schemas/classification.py)."""
    return isinstance(value, dict) and {"probability", "model_version"} <= value.keys()


def distinct_matches(history: ObjectHistory) -> list[dict[str, Any]]:
    """Catalog matches of all alerts, each source once, nearest first."""
    nearest: dict[tuple[str, str], dict[str, Any]] = {}
    for alert in history.alerts:
        for match in alert.get("matches") or ():
            key = (match["catalog"], match["source_id"])
            if key not in nearest or match["separation_arcsec"] < nearest[key]["separation_arcsec"]:
                nearest[key] = match
    return sorted(nearest.values(), key=lambda match: float(match["separation_arcsec"]))


async def read_histories(store: Store, object_id: str) -> list[ObjectHistory]:
    """The histories of all objects of that name: one per survey that has it, maybe none."""
    batches: dict[str, list[AlertBatch]] = {}
    query = {"object_ids": object_id}
    async for document in store.stream(Collection.ENVELOPES, query, fields=["survey", "batch"]):
        mine = alerts_about(document, object_id)
        batches.setdefault(document["survey"], []).append(mine)
    records = await store.find(
        Collection.ASSOCIATIONS, {"fields.object_id": object_id}, fields=["timestamp_ms", "fields"]
    )
    records.sort(key=lambda record: record["timestamp_ms"])
    updates = await read_updates(store, object_id)
    return [
        merge(
            survey,
            object_id,
            found,
            [r["fields"] for r in records if r["fields"].get("survey", survey) == survey],
            [update for update in updates if update.survey == survey],
        )
        for survey, found in sorted(batches.items())
    ]


async def read_updates(store: Store, object_id: str) -> list[Update]:
    """Updates about the objects of that name; a record that is none of ours is passed over."""
    latest: dict[tuple[str, str, str], Update] = {}
    found = []
    query = {"fields.object_id": object_id}
    for document in await store.find(Collection.UPDATES, query, fields=["value"]):
        with contextlib.suppress(ValueError):
            found.append(Update.from_json(document["value"]))
    for update in sorted(found, key=lambda one: one.asked_ms):
        key = (update.survey, update.source, update.alert_id)
        latest.pop(key, None)  # so that it stands where its latest statement does
        latest[key] = update
    return list(latest.values())


def alerts_about(document: Document, object_id: str) -> AlertBatch:
    """The alerts of an envelope's document that are about an object."""
    batch = read_envelope(document["batch"])
    return batch.rows(np.asarray(pc.equal(batch.column("object_id"), object_id)))


def merge(
    survey: str,
    object_id: str,
    batches: Iterable[AlertBatch],
    associations: list[dict[str, Any]] | None = None,
    updates: list[Update] | None = None,
) -> ObjectHistory:
    """Merge batches of at least one alert, all about one object."""
    rows: dict[str, tuple[dict[str, Any], AlertBatch]] = {}
    for batch in batches:
        scalars = batch.record_batch.drop_columns(list(_LIGHT_CURVE)).to_pylist()
        for number, alert in enumerate(scalars):
            rows[alert["alert_id"]] = (alert, batch.slice(number, 1))
    ordered = sorted(rows.values(), key=lambda row: (row[0]["mjd_tai"], row[0]["alert_id"]))
    return ObjectHistory(
        survey=survey,
        object_id=object_id,
        alerts=[alert for alert, _ in ordered],
        light_curve=merge_light_curves([single for _, single in ordered]),
        associations=associations or [],
        updates=updates or [],
    )


def merge_light_curves(alerts: list[AlertBatch]) -> LightCurve:
    """One light curve of single-alert batches in order of time; later alerts win."""

    def flat(name: str) -> npt.NDArray[Any]:
        chunks = [pc.list_flatten(alert.column(name)) for alert in alerts]
        return np.asarray(pa.chunked_array(chunks).to_numpy())

    mjd_tai, band, kind = flat("lc_mjd_tai"), flat("lc_band"), flat("lc_kind")
    newest_last = np.lexsort((np.arange(len(mjd_tai)), mjd_tai, kind, band))
    mjd_sorted = mjd_tai[newest_last]
    is_same = (
        (np.diff(mjd_sorted) < _SAME_EPOCH_DAYS)
        & (np.diff(band[newest_last]) == 0)
        & (np.diff(kind[newest_last]) == 0)
    )
    # Among points of one epoch the one from the latest alert stands for all.
    group = np.concatenate([[0], np.cumsum(~is_same)])
    latest = np.zeros(group[-1] + 1, dtype=np.int64) if len(mjd_tai) else np.zeros(0, np.int64)
    np.maximum.at(latest, group[: len(mjd_tai)], newest_last)
    keep = latest[np.argsort(mjd_tai[latest], kind="stable")]
    return LightCurve(
        mjd_tai=mjd_tai[keep],
        flux_njy=flat("lc_flux_njy").astype(np.float64)[keep],
        flux_err_njy=flat("lc_flux_err_njy").astype(np.float64)[keep],
        band=band[keep],
        kind=kind[keep],
    )
