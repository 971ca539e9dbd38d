"""BOOM: optical transients that it matched with events, as ``gcn.notices.boom.alert``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.mma.notices import windows
from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    Document,
    JsonNotice,
    NoticeType,
    Reading,
    circle,
    is_number,
)
from services.mma.notices.families import Family
from services.mma.notices.gcn_json import healpix_file, numbers, read_gcn_json, references

_FAMILY = Family("BOOM", schemas=("boom/",))
POSITION_RADIUS_DEG = 1.0 / 3600.0
"""Targets come without an error; optical surveys place a transient within an arcsecond."""


def read(document: Document) -> Reading:
    """The first target with its place, its first detection and the events it was matched with."""
    reading = _FAMILY.read(document)
    if not isinstance(document, JsonNotice):
        return reading
    data = document.fields.get("data")
    targets = _objects(data, "targets")
    if not targets:
        return reading
    first, others = JsonNotice(targets[0]), targets[1:]
    name = first.text("event_name")
    seen = [
        one.text("observation_start")
        for one in map(JsonNotice, _objects(data, "photometry"))
        if one.text("event_name") == name and is_number(one.fields.get("mag"))
    ]
    if seen:
        timed = JsonNotice({**document.fields, "trigger_time": min(seen)})
        reading = read_gcn_json(timed, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    error = first.number("ra_dec_error") or POSITION_RADIUS_DEG
    remarks = reading.remarks
    if others:
        remarks = (*remarks, f"{len(others)} more targets were left out: one event per notice")
    return replace(
        reading,
        event_id=f"BOOM_{name}" if name else reading.event_id,
        localization=circle(first.number("ra"), first.number("dec"), error, DEFAULT_CONTAINMENT),
        classification=numbers(targets[0].get("classification_scores")),
        cites=tuple(references(targets[0])),
        remarks=remarks,
    )


def _objects(data: Any, name: str) -> Sequence[Mapping[str, Any]]:
    found = data.get(name) if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


BOOM = NoticeType("boom", "optical", windows.OPTICAL, _FAMILY.recognises, read, healpix_file)
