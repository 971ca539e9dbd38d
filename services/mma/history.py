"""All notices of one event, in whatever order they came, and what they say together.

Nothing here depends on the order: the best place is the most precise and latest one, the name is
that of the notice issued first, and a retraction holds unless its author issued something after
it, also when it comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.mma.identity import Heard, clean_id, folded, members
from services.mma.regions import region_of
from services.mma.skymaps.base import Region
from services.mma.skymaps.multi_order import MultiOrderMap
from shared.errors import RejectedRecordError
from shared.schemas.notice import Notice

MAX_NOTICES_PER_EVENT = 500
"""More than any mission sends of one event; beyond it a sender is broken or hostile."""

Author = tuple[str, str]
"""An author's name of the event, folded, and the type of its notices."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one author says the event is."""

    notice_id: str
    region: Region
    area_90_deg2: float


@dataclass(frozen=True, slots=True)
class History:
    """Notices of one event without their payloads, and each author's best region."""

    heard: tuple[Heard, ...] = ()
    placed: Mapping[Author, Placed] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many notices there are."""
        return len(self.heard)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices, in order of issue."""
        ordered = sorted(self.heard, key=lambda one: _issued(one.notice))
        return tuple(one.notice for one in ordered)

    def has(self, notice_id: str) -> bool:
        """Whether the notice is in it."""
        return any(known.notice.notice_id == notice_id for known in self.heard)

    def with_notice(self, notice: Notice, heard: Heard) -> History:
        """The history with one notice more.

        Raises
        ------
        RejectedRecordError
            If the region of the notice is needed and cannot be compiled, or
            ``too_many_notices``.
        """
        known = [one.notice for one in self.heard]
        is_first_retraction = notice.alert_kind == "retraction" and not is_retracted(known)
        if len(known) >= MAX_NOTICES_PER_EVENT and not is_first_retraction:
            raise RejectedRecordError(
                "too_many_notices",
                f"event {notice.event_id} has {len(known)} notices already; no mission "
                "sends so many, and each costs time for all that follow",
            )
        author = author_of(notice)
        here = (one for one in [*known, notice] if author_of(one) == author)
        best = best_placed(here)
        placed = dict(self.placed)
        if best is not None and best.notice_id == notice.notice_id:
            region = region_of(notice)
            if region is not None:
                placed[author] = Placed(
                    notice.notice_id, region, float(region.searched_area_deg2(0.9))
                )
        return History((*self.heard, heard), placed)

    def joined_with(self, others: Iterable[History]) -> History:
        """One history of several; of an author's places the better stays."""
        heard, placed = [*self.heard], dict(self.placed)
        for other in others:
            heard += other.heard
            for author, place in other.placed.items():
                mine = placed.setdefault(author, place)
                best = best_placed(one.notice for one in heard if author_of(one.notice) == author)
                if best is not None and best.notice_id == place.notice_id != mine.notice_id:
                    placed[author] = place
        return History(tuple(heard), placed)

    def first(self) -> Notice:
        """The notice that was issued first: it names the event."""
        return min((one.notice for one in self.heard), key=_issued)

    def name(self) -> str:
        """The event's id, as whoever spoke first writes it."""
        return clean_id(self.first().event_id)

    def earliest_mjd_tai(self) -> float:
        """Earliest time that is told of the event; a retraction's only if there is no other."""
        times = [n.event_mjd_tai for n in self.notices if n.alert_kind != "retraction"]
        return min(times or [self.first().event_mjd_tai])

    def standing(self) -> list[Notice]:
        """What has not been taken back by its author."""
        if all(one.notice.alert_kind != "retraction" for one in self.heard):
            return [one.notice for one in self.heard]
        parts = ([one.notice for one in part] for part in members(self.heard))
        return [notice for part in parts if not is_retracted(part) for notice in part]

    def best(self) -> tuple[Notice, Region] | None:
        """The notice that says best where the event is, and its region; None if none does.

        An author's precision (rank) orders its own notices; between missions, whose ranks do not
        compare, the smaller 90 % region decides.
        """
        by_type: dict[str, list[Notice]] = {}
        for notice in self.standing():
            place = self.placed.get(author_of(notice))
            if place is not None and place.notice_id == notice.notice_id:
                by_type.setdefault(notice.notice_type, []).append(notice)
        bests = [best for best in map(best_placed, by_type.values()) if best is not None]
        if not bests:
            return None
        best = min(bests, key=lambda n: (self.placed[author_of(n)].area_90_deg2, n.notice_id))
        return best, self.placed[author_of(best)].region

    def maps(self) -> int:
        """How many sky maps are held."""
        return sum(isinstance(place.region, MultiOrderMap) for place in self.placed.values())


def author_of(notice: Notice) -> Author:
    """Who speaks: notices of one author supersede each other."""
    return folded(notice.event_id), notice.notice_type


def is_retracted(notices: Iterable[Notice]) -> bool:
    """Whether a retraction was issued at or after everything else that is known."""
    known = list(notices)
    retracted_ms = max((n.issued_ms for n in known if n.alert_kind == "retraction"), default=None)
    return retracted_ms is not None and all(n.issued_ms <= retracted_ms for n in known)


def best_placed(notices: Iterable[Notice]) -> Notice | None:
    """The notice of one type that says best where the event is; None if none does.

    The order is precision (rank), then time of issue, then the author's serial number; the
    hash decides between equals, so that every worker decides alike.
    """
    placed = [n for n in notices if n.localization is not None and n.alert_kind != "retraction"]
    return max(placed, key=lambda n: (n.rank, n.issued_ms, n.serial, n.notice_id), default=None)


def _issued(notice: Notice) -> tuple[int, str]:
    return notice.issued_ms, notice.notice_id
