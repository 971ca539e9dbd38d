"""An alert or association in a line of words, whatever columns its filter chose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from shared.light_curves.photometry import magnitude_ab_of

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST = 300
_SHOWN = 8


def plain(text: str, longest: int = _LONGEST) -> str:
    """One line: without control characters, line ends and writing-direction marks."""
    return _CONTROL.sub(" ", text)[:longest]


def summary(document: Mapping[str, Any]) -> str:
    """What a person wants to know first.

    Parameters
    ----------
    document
        An alert's columns, an association, a target, or a VOEvent under ``voevent``.
    """
    if "voevent" in document:
        return _of_voevent(str(document["voevent"]))
    words = [
        str(document[name])
        for name in ("survey", "object_id", "event_id", "state", "tier")
        if document.get(name) is not None
    ]
    ra_deg, dec_deg = document.get("ra_deg"), document.get("dec_deg")
    if isinstance(ra_deg, int | float) and isinstance(dec_deg, int | float):
        words.append(f"at {ra_deg:.5f} {dec_deg:+.5f}")
    words += _brightness(document)
    level = document.get("credible_level")
    if isinstance(level, int | float):
        words.append(f"in the {100 * level:.1f} % region")
    if not words:
        words = [f"{k}={v}" for k, v in list(document.items())[:_SHOWN] if _is_scalar(v)]
    return plain(" ".join(words))


def _brightness(document: Mapping[str, Any]) -> list[str]:
    band = document.get("band") or ""
    magnitude = document.get("magnitude_ab")
    flux_njy = document.get("flux_njy")
    if not isinstance(magnitude, int | float) and isinstance(flux_njy, int | float):
        magnitude = float(magnitude_ab_of(flux_njy)) if flux_njy > 0 else None
    if isinstance(magnitude, int | float):
        return [f"{band} = {magnitude:.2f} mag".strip()]
    return []


def _of_voevent(text: str) -> str:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return "VOEvent"
    return plain(f"VOEvent {root.get('ivorn', '')} {root.get('role', '')}")


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)
