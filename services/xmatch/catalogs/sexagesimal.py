"""Angles as people write them: hours or degrees, minutes and seconds."""

from __future__ import annotations

import re

_PARTS = re.compile(r"([+-]?)\s*(\d+)[:hd°\s]+(\d+)[:m'\s]+(\d+(?:\.\d*)?)[s\"]?")


def degrees(text: str | None, *, hours: bool) -> float:
    """Degrees of ``00 01 16.37`` (hours for a right ascension) or ``+29:35:34``.

    NaN if it is nothing of the kind.
    """
    found = _PARTS.fullmatch(text.strip()) if text else None
    if found is None:
        return float("nan")
    sign, first, minutes, seconds = found.groups()
    if int(minutes) >= 60 or float(seconds) > 60.0:
        return float("nan")
    size = int(first) + int(minutes) / 60.0 + float(seconds) / 3_600.0
    return (-size if sign == "-" else size) * (15.0 if hours else 1.0)
