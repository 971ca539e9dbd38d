"""Which class an object has, when several labels may disagree.

The rule:

1. Labels taken in after the day that is asked about do not exist; neither do labels that were
   withdrawn by then by their own author.
2. Of one author and source only the newest label (by when it was said) speaks.
3. A label speaks for its class with ``WEIGHTS[source] x confidence``; labels that agree add up as
   independent evidence does, 1 - product of (1 - weight).
4. The class with most evidence has it, unless the second has nearly as much (``LEAD``): then the
   object is disputed, and nothing is learnt from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.labels.class_names import class_of
from shared.schemas.label import Label

RULE_VERSION = "1"
"""Counted up whenever the rule, a weight or ``LEAD`` changes."""

WEIGHTS: Mapping[str, float] = {
    "simulation": 1.0,
    "spectrum": 0.98,
    "tns": 0.95,
    "expert": 0.7,
    "crossmatch": 0.5,
}
"""Most that one label of a source may count for."""
LEAD = 0.2
"""How much more evidence the first class needs than the second."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the labels of one object come to."""

    object_id: str
    class_name: str | None
    """Our class; None if disputed, or if no label says a class."""
    state: Literal["single", "agreed", "outweighed", "disputed", "no_class"]
    """One label; several that agree; several that do not, with and without a winner; none."""
    evidence: Mapping[str, float]
    """By class, in [0, 1), greatest first."""
    labels: tuple[Label, ...]
    """Those that spoke."""

    @property
    def taken_ms(self) -> int:
        """When the first label of the class was taken in; 0 without a class."""
        own = [one.taken_ms for one in self.labels if class_of(one.class_name) == self.class_name]
        return min(own, default=0) if self.class_name is not None else 0


def speaking(labels: Iterable[Label], as_of_ms: int | None = None) -> list[Label]:
    """The labels that count on a day (rules 1 and 2), by when they were said."""
    distinct = {one.label_id: one for one in labels if as_of_ms is None or one.taken_ms <= as_of_ms}
    known = sorted(distinct.values(), key=lambda one: (one.said_ms, one.taken_ms, one.label_id))
    authors = {one.label_id: one.author for one in known}
    gone = {
        one.withdraws
        for one in known
        if one.withdraws is not None and authors.get(one.withdraws) == one.author
    }
    newest: dict[tuple[str, str, str], Label] = {}
    for one in known:
        if one.label_id not in gone and one.withdraws is None:
            newest[one.object_id, one.author, one.source] = one
    return sorted(newest.values(), key=lambda one: (one.said_ms, one.label_id))


def resolve(labels: Iterable[Label], as_of_ms: int | None = None) -> dict[str, Resolution]:
    """The class of every object with a label, by object.

    Parameters
    ----------
    labels
        Any number of objects' labels, in any order; repeats are harmless.
    as_of_ms
        Unix time, milliseconds; None for all that is known.
    """
    by_object: dict[str, list[Label]] = {}
    for one in speaking(labels, as_of_ms):
        by_object.setdefault(one.object_id, []).append(one)
    return {name: _resolved(name, own) for name, own in by_object.items()}


def _resolved(object_id: str, labels: Sequence[Label]) -> Resolution:
    doubt: dict[str, float] = {}
    for one in labels:
        name = class_of(one.class_name)
        if name is not None:
            weight = WEIGHTS[one.source] * one.confidence
            doubt[name] = doubt.get(name, 1.0) * (1.0 - min(weight, 0.999))
    evidence = {
        name: round(1.0 - rest, 6)
        for name, rest in sorted(doubt.items(), key=lambda x: (x[1], x[0]))
    }
    state: Literal["single", "agreed", "outweighed", "disputed", "no_class"]
    winner = next(iter(evidence), None)
    if winner is None:
        state = "no_class"
    elif len(evidence) == 1:
        state = "single" if len(labels) == 1 else "agreed"
    else:
        first, second = list(evidence.values())[:2]
        state = "outweighed" if first - second >= LEAD else "disputed"
    chosen = None if state == "disputed" else winner
    return Resolution(object_id, chosen, state, evidence, tuple(labels))
