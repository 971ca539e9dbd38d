"""What has changed about an alert's matches: plain functions on what is known and what is found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.schemas.update import MatchChange

SAME_ARCSEC = 0.05
"""Separations that differ by less are the same: single precision, and positions to a few mas."""
_SUBSTANCE = ("source_class", "redshift", "magnitude", "major_axis_arcsec")
_RELATIVE = 1e-5

Hit = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """The columns of one alert that rematching judges, as lists of mappings."""

    matches: Sequence[Hit]
    watchlists: Sequence[Hit]
    regions: Sequence[Hit]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Known:
        """From an alert's row, or the columns of an update; what is absent is empty."""
        return cls(*(row.get(name) or () for name in ("matches", "watchlists", "regions")))


def judged(before: Known, found: Known, catalogs: Collection[str], *, watched: bool) -> Known:
    """What is known once ``found`` has been heard about ``catalogs``, and about what is watched.

    Matches of other catalogs stay: that a catalog is not installed here says nothing of it.
    """
    others = [match for match in before.matches if match["catalog"] not in catalogs]
    mine = [match for match in found.matches if match["catalog"] in catalogs]
    matches = sorted([*others, *mine], key=lambda match: float(match["separation_arcsec"]))
    if not watched:
        return Known(matches, before.watchlists, before.regions)
    return Known(matches, found.watchlists, found.regions)


def changes_of(before: Known, after: Known) -> list[MatchChange]:
    """Each source, target or region that came, went or is another; a new version alone is none."""
    return [
        *_changes("matches", _by_source(before.matches), _by_source(after.matches)),
        *_changes("watchlists", _by_target(before.watchlists), _by_target(after.watchlists)),
        *_changes("regions", _by_target(before.regions), _by_target(after.regions)),
    ]


def _by_source(matches: Sequence[Hit]) -> dict[tuple[Any, ...], Hit]:
    return {(match["catalog"], match["source_id"]): match for match in matches}


def _by_target(hits: Sequence[Hit]) -> dict[tuple[Any, ...], Hit]:
    return {(hit["name"], hit.get("target"), hit["owner"]): hit for hit in hits}


def _changes(
    column: str, before: Mapping[tuple[Any, ...], Hit], after: Mapping[tuple[Any, ...], Hit]
) -> Iterator[MatchChange]:
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None:
            if not _differs(old, new):
                continue
            what = "changed"
        else:
            what = "removed" if new is None else "added"
        whose = new or old or {}
        yield MatchChange.model_validate(
            {
                "what": what,
                "column": column,
                "catalog": str(key[0]),
                "source_id": "" if key[1] is None else str(key[1]),
                "version_before": _version(old),
                "version_after": _version(new),
                "owner": whose.get("owner"),
                "is_public": whose.get("is_public", True),
            }
        )


def _version(hit: Hit | None) -> str | None:
    if hit is None:
        return None
    version = hit.get("catalog_version", hit.get("version"))
    return None if version is None else str(version)


def _differs(old: Hit, new: Hit) -> bool:
    was, now = old.get("separation_arcsec"), new.get("separation_arcsec")
    if was is not None and now is not None and abs(was - now) > SAME_ARCSEC:
        return True
    if old.get("is_public") != new.get("is_public"):
        return True
    return any(not _is_same(old.get(name), new.get(name)) for name in _SUBSTANCE)


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) <= _RELATIVE * max(abs(old), abs(new))
    return bool(old == new)
