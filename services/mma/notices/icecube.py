"""IceCube tracks and cascades (AMON VOEvents, GCN JSON). Radii are 90 %.

Event names are ``IceCube_<run>_<event>`` in both formats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    Document,
    JsonNotice,
    NoticeType,
    Reading,
    is_number,
)
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, json_localization, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("IceCube", r"(nasa\.gsfc\.gcn|amon)/(AMON|amon).*ICECUBE", ("icecube/",))
_REVISED = re.compile(r"(?P<event>IceCube_\d+_\d+)_\d+")
_PIPELINES = (
    ("GOLD", "Gold Track Alert"),
    ("BRONZE", "Bronze Track Alert"),
    ("Cascade", "Cascade Alert"),
    ("HESE", "HESE"),
    ("EHE", "EHE"),
)


def read(document: Document) -> Reading:
    """Read either format; a search about a gravitational wave names that event as its own."""
    if isinstance(document, VOEvent):
        return _read_voevent(document)
    if document.schema.startswith("icecube/lvk"):
        return _read_search(document)
    reading = read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    # Some writers add the revision to run and event.
    name = _REVISED.fullmatch(reading.event_id)
    pipeline = document.text("pipeline")
    return replace(
        reading,
        event_id=reading.event_id if name is None else name["event"],
        instruments=tuple(filter(None, [*reading.instruments, pipeline])),
    )


def _read_voevent(event: VOEvent) -> Reading:
    run, number = event.params.get("run_id"), event.params.get("event_id")
    event_id = f"{_FAMILY.prefix}_{run}_{number}" if run and number else None
    has_90 = event.number("src_error_90") is not None
    # EHE packets (until 2019) gave the radius of 50 % alone.
    containment = DEFAULT_CONTAINMENT if has_90 or not event.number("src_error_50") else 0.5
    reading = read_voevent(event, _FAMILY.prefix, containment, event_id=event_id)
    signalness = event.number("signalness")
    if signalness is None:
        signalness = event.number("Signalness")
    name = event.params.get("event_name", "").strip()
    return replace(
        reading,
        aliases=(name,) if name else (),
        p_astro=signalness if signalness is not None and 0 <= signalness <= 1 else None,
        classification={} if signalness is None else {"signalness": signalness},
        sky_map_url=event.params.get("skymap_fits") or None,
        instruments=tuple(pipeline for mark, pipeline in _PIPELINES if mark in event.stream),
    )


def _read_search(notice: JsonNotice) -> Reading:
    """The neutrinos found about a gravitational wave: the likeliest of them is the place."""
    name = notice.text("ref_ID")
    reading = read_gcn_json(notice, f"IceCube_LVK_{name}", DEFAULT_CONTAINMENT)
    found = notice.fields.get("coincident_events")
    events = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    placed = [
        (_p_value(one), json_localization(JsonNotice(place), DEFAULT_CONTAINMENT))
        for one in events
        if isinstance(place := one.get("localization"), dict)
    ]
    best = min(placed, key=lambda pair: pair[0], default=(1.0, None))[1]
    external: dict[str, str | float] = {"ref_ID": name}
    for field in ("pval_generic", "pval_bayesian", "n_events_coincident"):
        value = notice.number(field)
        if value is not None:
            external[field] = value
    return replace(reading, localization=reading.localization or best, external=external)


def _p_value(event: Mapping[str, object]) -> float:
    """The smaller of an event's p-values; 1 if it has none."""
    values = (event.get(f"event_pval_{kind}") for kind in ("generic", "bayesian"))
    return min((float(v) for v in values if is_number(v)), default=1.0)


ICECUBE = NoticeType(
    "icecube", "neutrino", windows.NEUTRINO, _FAMILY.recognises, read, healpix_file
)
