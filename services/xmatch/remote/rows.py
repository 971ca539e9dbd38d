"""Rows of an answer, whatever its form, made into sources: strictly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from services.xmatch.remote.base import MalformedAnswerError, RemoteTable, Source

MAX_TEXT = 200
"""Longest name or class; SIMBAD's longest identifiers have some 70 characters."""
_NUMBERS = ("redshift", "magnitude", "major_axis_arcsec")
_REQUIRED = ("ra_deg", "dec_deg", "source_id")


def columns_of(table: RemoteTable, header: Sequence[str]) -> dict[str, int]:
    """Where in a row each member of a source stands.

    Raises
    ------
    MalformedAnswerError
        If a column that must be there is not.
    """
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    found = {
        member: places[name]
        for member, names in table.columns.items()
        for name in [next((n for n in names if n in places), None)]
        if name is not None
    }
    missing = [member for member in _REQUIRED if member not in found]
    if missing:
        raise MalformedAnswerError(
            f"{table.name}: no column for {', '.join(missing)} among {', '.join(header)[:300]}"
        )
    return found


def sources_by_key(
    table: RemoteTable, header: Sequence[str], rows: Iterable[Sequence[str]], key_column: str
) -> dict[str, list[Source]]:
    """Sources by the key of the position they are near.

    Raises
    ------
    MalformedAnswerError
        If a row has another length than the header, or a position that is none.
    """
    columns = columns_of(table, header)
    try:
        key_place = list(header).index(key_column)
    except ValueError:
        raise MalformedAnswerError(f"{table.name}: the answer has no column {key_column}") from None
    found: dict[str, list[Source]] = {}
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise MalformedAnswerError(
                f"{table.name}: row {number} has {len(row)} values, not {len(header)}"
            )
        key = row[key_place].strip().strip('"')
        found.setdefault(key, []).append(_source(table, columns, row, number))
    return found


def _source(
    table: RemoteTable, columns: Mapping[str, int], row: Sequence[str], number: int
) -> Source:
    def text(member: str) -> str | None:
        place = columns.get(member)
        value = row[place].strip()[:MAX_TEXT] if place is not None else ""
        return value or None

    ra_deg, dec_deg = (_number(text(member)) for member in ("ra_deg", "dec_deg"))
    source_id = text("source_id")
    if ra_deg is None or dec_deg is None or not (0 <= ra_deg < 360.0001 and abs(dec_deg) <= 90):
        raise MalformedAnswerError(f"{table.name}: row {number} is not on the sphere")
    if source_id is None:
        raise MalformedAnswerError(f"{table.name}: row {number} has no name")
    redshift, magnitude, major_axis = (_number(text(member)) for member in _NUMBERS)
    return Source(
        ra_deg=ra_deg % 360.0,
        dec_deg=dec_deg,
        source_id=source_id,
        source_class=text("source_class"),
        redshift=redshift,
        magnitude=magnitude,
        major_axis_arcsec=major_axis,
    )


def _number(text: str | None) -> float | None:
    """A finite number; None if there is none or it is no number (services write ``--``)."""
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
