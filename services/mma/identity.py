"""Which notices are about one event: the names they give it, and when a name is used again.

Names alone do not make an event. Of 30,384 archived packets 427 of IPN's all call their trigger
-1, Swift has used 16777215 over nine years, and tests carry 99999 for ever. So two notices with a
name in common are about one event only if the times they give lie near each other.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from shared.errors import RejectedRecordError
from shared.schemas.notice import Messenger, Notice

MAX_NAMES = 40
"""Names of one notice that are heeded; the unified schema sets no bound."""
MAX_NAME_CHARACTERS = 200
_OWN_DAYS = 1.0
"""Swift's later positions carry their own times, up to a day after the trigger."""
_IVORN_DAYS = 30.0
_RETRACTION_DAYS = 30.0
"""A retraction may say when it was written, not when the event was."""
_BURST_NAME_DAYS = 0.1
_SUPEREVENT = re.compile(r"[mt]?s\d{6}[a-z]+|g\d+")
_BURST = re.compile(r"(grb|ep|xrf)_?(\d{6}[a-z]+)")
_NEUTRINO = re.compile(r"ic(?:ecube)?_?(\d{6}[a-z]+)")
_GRAVITATIONAL_WAVE = re.compile(r"gw_?(\d{6}(?:_\d{6})?)")
_TRIGGER = re.compile(r"(fermi_gbm|swift)_\d+")
_DATED = re.compile(r"@\d{4}-\d\d-\d\d$")
# A name of the sky's own joins only what carries the same news: a burst and a gravitational wave
# that share one are a coincidence, which is told as such. Bursts of a repeater share theirs.
_KINDRED: dict[Messenger, str] = {
    "gamma_ray": "burst",
    "x_ray": "burst",
    "neutrino": "neutrino",
    "gravitational_wave": "gravitational_wave",
}


@dataclass(frozen=True, slots=True)
class Name:
    """One name that a notice gives its event."""

    text: str
    within_days: float
    """How far apart in time two notices with the name may be."""
    is_own: bool
    """The author's own: whoever retracts it retracts all that carry it."""


def clean_id(event_id: str) -> str:
    """An event id for people and file names.

    Raises
    ------
    RejectedRecordError
        ``bad_event_id``: empty, too long, or with characters that do not show.
    """
    text = unicodedata.normalize("NFKC", event_id).strip()
    if not text or len(text) > MAX_NAME_CHARACTERS:
        raise RejectedRecordError(
            "bad_event_id", f"{len(text)} characters; 1 to {MAX_NAME_CHARACTERS} are allowed"
        )
    if any(unicodedata.category(character).startswith("C") for character in text):
        raise RejectedRecordError("bad_event_id", f"invisible characters in {text[:60]!a}")
    if _DATED.search(text):
        raise RejectedRecordError("bad_event_id", f"{text[:60]!r}: a date after @ is ours to add")
    return text


@lru_cache(maxsize=65_536)
def folded(name: str) -> str:
    """A name as it is compared: no case, no accents of typography, one kind of gap."""
    text = unicodedata.normalize("NFKC", name[: 2 * MAX_NAME_CHARACTERS]).casefold()
    shown = "".join(c for c in text if not unicodedata.category(c).startswith("C"))
    return re.sub(r"[\s_-]+", "_", shown.strip())[:MAX_NAME_CHARACTERS]


def names_of(notice: Notice) -> list[Name]:
    """Every name of the notice's event, its own first."""
    found: dict[str, Name] = {}
    for name in _names(notice):
        if len(found) < MAX_NAMES:
            found.setdefault(name.text, name)
    return list(found.values())


def _names(notice: Notice) -> Iterable[Name]:
    longer = _RETRACTION_DAYS if notice.alert_kind == "retraction" else 0.0
    own_id = folded(notice.event_id)
    days = math.inf if notice.notice_type == "lvk" else max(_OWN_DAYS, longer)
    yield Name(own_id, days, is_own=True)
    common = _sky_name(notice, own_id)
    if common is not None:
        yield common
    if notice.ivorn:
        stream = notice.ivorn.partition("#")[0]
        yield Name(folded(notice.ivorn), _IVORN_DAYS, is_own=True)
        # Citing what another stream said is following it up; citing one's own is going on.
        for cited in notice.cites[:MAX_NAMES]:
            if cited.partition("#")[0] == stream:
                yield Name(folded(cited), _IVORN_DAYS, is_own=True)
    author = own_id.partition("_")[0]
    for alias in notice.aliases[:MAX_NAMES]:
        name = folded(alias)
        if name.partition("_")[0] == author and "_" in name and not _sky_name(notice, name):
            yield Name(name, max(_OWN_DAYS, longer), is_own=True)
        else:
            common = _sky_name(notice, name)
            if common is not None:
                yield common


def _sky_name(notice: Notice, name: str) -> Name | None:
    """The name if it is one that several authors use of the same event; else None."""
    kind = _KINDRED.get(notice.messenger)
    match kind:
        case "burst" if found := _BURST.fullmatch(name):
            return Name(f"burst:{found[1]}{found[2]}", _BURST_NAME_DAYS, is_own=False)
        case "burst" if _TRIGGER.fullmatch(name):
            return Name(name, _BURST_NAME_DAYS, is_own=False)
        case "neutrino" if found := _NEUTRINO.fullmatch(name):
            return Name(f"neutrino:{found[1]}", _OWN_DAYS, is_own=False)
        case "gravitational_wave" if _SUPEREVENT.fullmatch(name):
            return Name(name, math.inf, is_own=True)
        case "gravitational_wave" if found := _GRAVITATIONAL_WAVE.fullmatch(name):
            return Name(f"gw:{found[1]}", math.inf, is_own=False)
    return None


@dataclass(frozen=True, slots=True)
class Heard:
    """A notice, without its payload, and the names it gives its event."""

    notice: Notice
    names: tuple[Name, ...]

    @classmethod
    def of(cls, notice: Notice) -> Heard:
        """What must be kept of a notice."""
        return cls(notice.model_copy(update={"payload": b""}), tuple(names_of(notice)))

    def own_names(self) -> set[str]:
        """Those that only the author uses."""
        return {name.text for name in self.names if name.is_own}

    def is_same_event(self, other: Heard) -> bool:
        """Whether both carry a name at times that are near enough for it."""
        days_of = {name.text: name.within_days for name in other.names}
        apart = abs(self.notice.event_mjd_tai - other.notice.event_mjd_tai)
        return any(
            apart <= max(name.within_days, days_of[name.text])
            for name in self.names
            if name.text in days_of
        )


def members(heard: Iterable[Heard]) -> list[list[Heard]]:
    """Notices of one event by author: what has an own name in common belongs together."""
    parts: list[tuple[set[str], list[Heard]]] = []
    for one in heard:
        own = one.own_names()
        joined = [part for part in parts if part[0] & own]
        kept = [part for part in parts if not part[0] & own]
        names = own.union(*(part[0] for part in joined))
        parts = [*kept, (names, [*(n for part in joined for n in part[1]), one])]
    return [part for _, part in parts]
