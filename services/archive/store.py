"""What is kept: documents made of envelopes and records. No clock, no network, no settings.

One document per envelope (the bucket pattern) costs a tenth of one per alert. Its ``_id`` is the
envelope's place in Kafka, so that a repeat is a duplicate key and harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
import pyarrow.compute as pc

from shared.alert_batch import AlertBatch
from shared.archive.nights import night_of, nights_of
from shared.archive.objects import ASSOCIATED, LABELLED, object_key, object_update
from shared.kafka.records import Envelope, Record
from shared.schemas.label import Label
from shared.store import Document

_MAX_FIELDS = 100
_MAX_FIELD_CHARACTERS = 1000
_INT64_MAX = 2**63 - 1


def document_id(record: Record) -> str:
    """A message's place in Kafka, e.g. ``tocsin.alerts.correlated-1-4711``."""
    return f"{record.topic}-{record.partition}-{record.offset}"


def renamed_for_new_topic(document: Document) -> Document:
    """The document under an ``_id`` of its own, for a topic that was deleted and made anew.

    Such a topic counts from 0 again; its messages are not repeats of those before.
    """
    return {**document, "_id": f"{document['_id']}@{document['timestamp_ms']}"}


def envelope_document(envelope: Envelope) -> Document:
    """The document of an envelope; ``batch`` holds its bytes unchanged.

    ``object_ids[i]`` and ``alert_ids[i]`` are of the same alert; ``night`` is the earliest alert's
    and ``nights`` are those of all. An envelope without alerts is
    kept too, so that nothing that was on the topic is missing here.
    """
    batch = envelope.batch
    mjd_tai = batch.floats("mjd_tai")
    earliest = float(mjd_tai.min()) if len(batch) else None
    return {
        "_id": document_id(envelope.record),
        "timestamp_ms": envelope.record.timestamp_ms,
        "survey": batch.survey if len(batch) else None,
        "night": night_of(earliest) if earliest is not None else None,
        "nights": np.unique(nights_of(mjd_tai)).tolist(),
        "mjd_tai_min": earliest,
        "mjd_tai_max": float(mjd_tai.max()) if len(batch) else None,
        "n_alerts": len(batch),
        "is_simulated": bool(pc.any(batch.column("is_simulated")).as_py()),
        "object_ids": batch.strings("object_id"),
        "alert_ids": batch.strings("alert_id"),
        "batch": envelope.record.value,
    }


def object_updates(batches: Iterable[AlertBatch]) -> dict[str, dict[str, Any]]:
    """Updates of the documents of objects that have an association, by ``_id``.

    Every update may be applied again: sets grow, extremes widen.
    """
    updates: dict[str, dict[str, Any]] = {}
    for batch in batches:
        if batch.record_batch.schema.get_field_index("associations") < 0:
            continue
        lengths = pc.fill_null(pc.list_value_length(batch.column("associations")), 0)
        is_associated = np.asarray(lengths) > 0
        if is_associated.any():
            for row in batch.rows(is_associated).record_batch.to_pylist():
                _widen(updates, row)
    return updates


def _widen(updates: dict[str, dict[str, Any]], alert: dict[str, Any]) -> None:
    key = object_key(alert["survey"], alert["object_id"])
    events = {association["event_id"] for association in alert["associations"]}
    before = updates.get(key)
    if before is not None:
        events |= set(before["$addToSet"]["event_ids"]["$each"])
    update = object_update(alert, ASSOCIATED, events)
    if before is not None:
        for extreme, field, choose in (
            ("$min", "first_mjd_tai", min),
            ("$max", "last_mjd_tai", max),
        ):
            update[extreme][field] = choose(update[extreme][field], before[extreme][field])
    updates[key] = update


def labelled_objects(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Updates of the documents of objects that labels are about, by ``_id``.

    Labels that do not say which survey's object it is, or where, are passed over, and what is no
    label is too.
    """
    from shared.sky.healpix import healpix29_of  # noqa: PLC0415  # a compiler, for rare records

    updates: dict[str, dict[str, Any]] = {}
    for record in records:
        try:
            label = Label.from_json(record.value)
        except ValueError:
            continue
        if label.survey is None or label.ra_deg is None or label.dec_deg is None:
            continue
        updates[object_key(label.survey, label.object_id)] = {
            "$setOnInsert": {
                "survey": label.survey,
                "object_id": label.object_id,
                "ra_deg": label.ra_deg,
                "dec_deg": label.dec_deg,
                "healpix29": int(healpix29_of(label.ra_deg, label.dec_deg)[0]),
                "is_simulated": label.is_simulated,
            },
            "$addToSet": {"reasons": LABELLED},
        }
    return updates


def record_document(record: Record) -> Document:
    """The document of a notice, association, label or target: its bytes, and what to find it by.

    ``fields`` are the scalars at the top of the JSON object, if it is one; long texts are left
    out, integers beyond 64 bits become text. ``value`` is what counts.
    """
    return {
        "_id": document_id(record),
        "timestamp_ms": record.timestamp_ms,
        "key": record.key.decode("utf-8", "replace") if record.key is not None else None,
        "fields": _scalars(record.value),
        "value": record.value,
    }


def newest_by_key(records: Iterable[Record]) -> dict[str, Document]:
    """MongoDB updates that leave the last record of each key, by key.

    ``names`` are those of the JSON object, if it has such a list: what else it may be asked for by.
    """
    updates: dict[str, Document] = {}
    for record in records:
        document = record_document(record)
        key = document["key"] or document["_id"]
        place = document.pop("_id")
        updates[key] = {"$set": {**document, "origin": place, "names": _names(record.value)}}
    return updates


def _names(value: bytes) -> list[str]:
    try:
        names = orjson.loads(value).get("names", [])
    except (orjson.JSONDecodeError, AttributeError):
        return []
    return [name for name in names if isinstance(name, str) and "\0" not in name]


def _scalars(value: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    scalars: dict[str, Any] = {}
    for name, member in parsed.items():
        if not isinstance(member, str | int | float) or len(scalars) == _MAX_FIELDS:
            continue
        if "\0" in name or name.startswith("$") or len(str(member)) > _MAX_FIELD_CHARACTERS:
            continue
        is_large = isinstance(member, int) and abs(member) > _INT64_MAX
        scalars[name] = str(member) if is_large else member
    return scalars
