"""The account itself: per stage and partition, what came in against what went out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from services.console.account.ledger import Place, Tally

SHOWN = 20
"""Most origins listed per kind of fault."""


@dataclass
class Line:
    """One stage's account for one partition of a survey topic, in packets."""

    stage: str
    topic: str
    partition: int
    came_in: int
    went_out: int
    dead_letters: int
    missing: int
    repeated: int
    changed: int
    missing_offsets: list[int] = field(default_factory=list)
    repeated_offsets: list[int] = field(default_factory=list)
    changed_offsets: list[int] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        """Whether every packet is in one known state, unchanged. A repeat inside is allowed."""
        return self.missing == 0 and self.changed == 0

    def to_json(self) -> dict[str, Any]:
        """All of it, for a script."""
        return {**asdict(self), "balances": self.balances}


def lines_of(
    stage: str, before: Tally | None, after: Tally, letters: Tally | None, compare: bool = True
) -> list[Line]:
    """Weigh one stage.

    Parameters
    ----------
    stage
        Name of the stage.
    before
        What it read; None for every packet of the survey topics.
    after
        What it wrote.
    letters
        Its dead letters, if it wrote any.
    compare
        Whether alerts must be the same before and after.
    """
    lines = []
    for extent in after.extents:
        place: Place = (extent.topic, extent.partition)
        size = extent.end - extent.begin
        came = np.ones(size, bool) if before is None else before.counts[place] > 0
        went = after.counts[place]
        aside = np.zeros(size, bool) if letters is None else letters.counts[place] > 0
        missing = np.flatnonzero(came & (went == 0) & ~aside) + extent.begin
        repeated = np.flatnonzero(went > 1) + extent.begin
        changed = np.zeros(0, np.int64)
        if before is not None and compare:
            both = came & (went > 0)
            differ = before.fingerprints[place] != after.fingerprints[place]
            changed = np.flatnonzero(both & differ) + extent.begin
        lines.append(
            Line(
                stage, extent.topic, extent.partition, int(came.sum()), int((went > 0).sum()),
                int(aside.sum()), len(missing), len(repeated), len(changed),
                missing[:SHOWN].tolist(), repeated[:SHOWN].tolist(), changed[:SHOWN].tolist(),
            )
        )  # fmt: skip
    return lines
