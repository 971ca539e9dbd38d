"""Users and their votes over one stream: scores that follow a vote within seconds.

``Panel`` is all of it, in memory: the shared forest, the objects that can be asked about, and for
each user the votes and the weights they come to. A vote costs one fit of that user's weights
(about a tenth of a second) and touches nobody else. Restarted, the panel takes the votes again
from their topic, is given back the rows they were about, and stands where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.learning.anomalies.forest import Floats, SharedForest
from services.classify.learning.models.base import Rows
from shared.schemas.vote import Vote

MAX_USERS, MAX_VOTES = 1_000, 5_000
"""Limits of users and of one user's votes; the oldest votes of a user go first."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One object on a user's list."""

    object_id: str
    survey: str | None
    """Whose name it is, as the newest alert has it."""
    score: float
    reasons: tuple[tuple[str, float], ...]
    """Features that make it anomalous to this user, and how much of the score each is."""


class Panel:
    """Users over a pool of objects.

    Parameters
    ----------
    forest
        Shared by all.
    names
        Of the features.
    capacity
        Most objects that are kept; the longest unseen go first.
    """

    def __init__(self, forest: SharedForest, names: Sequence[str], capacity: int = 50_000) -> None:
        self._forest, self._names, self._capacity = forest, tuple(names), capacity
        self._rows: dict[str, npt.NDArray[np.float32]] = {}
        self._survey: dict[str, str] = {}
        self._votes: dict[str, dict[str, Vote]] = {}
        self._weights: dict[str, Floats] = {}
        self._voted: dict[str, npt.NDArray[np.float32]] = {}
        self._waiting: dict[str, set[str]] = {}
        self._unfitted: set[str] = set()

    @property
    def users(self) -> list[str]:
        """Those who have voted."""
        return sorted(self._votes)

    @property
    def user_count(self) -> int:
        """How many have voted."""
        return len(self._votes)

    def __len__(self) -> int:
        """How many objects can be asked about."""
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """Whether a further object pushes another out."""
        return len(self._rows) >= self._capacity

    @property
    def voted(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """Rows of the objects that were voted on, as they were when the vote was taken."""
        return self._voted

    def remember(self, voted: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Take back what ``voted`` was before a restart."""
        for name, row in voted.items():
            self._voted.setdefault(name, row)
            self._unfitted |= self._waiting.pop(name, set())

    def see(self, object_ids: Sequence[str], rows: Rows, surveys: Sequence[str] = ()) -> None:
        """Take alerts in: the newest row of an object counts. ``surveys``: one each, or none."""
        for name, row in zip(object_ids, rows, strict=True):
            self._rows.pop(name, None)
            self._rows[name] = row
            if name in self._waiting:
                self.remember({name: row})
        self._survey.update(zip(object_ids, surveys, strict=False))
        while len(self._rows) > self._capacity:
            oldest = next(iter(self._rows))
            del self._rows[oldest]
            self._survey.pop(oldest, None)

    def recall(self, object_ids: Sequence[str], rows: Rows, surveys: Sequence[str] = ()) -> None:
        """Take in alerts older than all that were seen: of objects that are not known yet."""
        room = self._capacity - len(self._rows)
        new = {n: r for n, r in zip(object_ids, rows, strict=True) if n not in self._rows}
        new = dict(list(new.items())[-room:]) if room else {}
        whose = dict(zip(object_ids, surveys, strict=False))
        self._rows = {**new, **self._rows}
        self._survey |= {name: whose[name] for name in new if name in whose}
        self.remember({name: row for name, row in new.items() if name in self._waiting})

    def take(self, votes: Sequence[Vote]) -> list[str]:
        """Take votes in and fit their users' weights; returns the users that changed.

        A vote about an object that was never seen is kept, and counts as soon as the object is
        seen. An older vote never undoes a newer one.
        """
        changed: dict[str, None] = {}
        for vote in votes:
            if vote.user not in self._votes and len(self._votes) >= MAX_USERS:
                continue
            own = self._votes.setdefault(vote.user, {})
            before = own.get(vote.object_id)
            if before is not None and (before.said_ms > vote.said_ms or before == vote):
                continue
            own.pop(vote.object_id, None)
            own[vote.object_id] = vote
            while len(own) > MAX_VOTES:
                self._forget(vote.user, next(iter(own)))
            if vote.object_id in self._rows:
                self._voted.setdefault(vote.object_id, self._rows[vote.object_id])
            if vote.object_id not in self._voted:
                self._waiting.setdefault(vote.object_id, set()).add(vote.user)
            changed[vote.user] = None
        changed |= dict.fromkeys(sorted(self._unfitted))
        self._unfitted.clear()
        for user in changed:
            self._fit(user)
        return list(changed)

    def _forget(self, user: str, object_id: str) -> None:
        del self._votes[user][object_id]
        waiting = self._waiting.get(object_id, set())
        waiting.discard(user)
        if not waiting:
            self._waiting.pop(object_id, None)

    def _fit(self, user: str) -> None:
        known = [v for v in self._votes[user].values() if v.object_id in self._voted]
        if known:
            rows = np.stack([self._voted[v.object_id] for v in known])
            self._weights[user] = self._forest.weights(rows, [v.opinion for v in known])

    def weights(self, user: str) -> Floats:
        """A user's leaf weights; those of nobody in particular before the first vote."""
        return self._weights.get(user, self._forest.prior)

    def scores(self, rows: Rows) -> dict[str, Floats]:
        """Scores of some alerts for every user, shape (n,) each."""
        return {user: self._forest.scores(rows, self.weights(user)) for user in self.users}

    def top(self, user: str, most: int = 20, *, with_voted: bool = False) -> list[Ranked]:
        """The objects most anomalous to a user, without those the user has judged."""
        judged = self._votes.get(user, {})
        names = [
            name for name in self._rows
            if with_voted or name not in judged or judged[name].opinion == "unknown"
        ]  # fmt: skip
        if not names:
            return []
        rows, weights = np.stack([self._rows[name] for name in names]), self.weights(user)
        scores = self._forest.scores(rows, weights)
        best = np.argsort(-scores, kind="stable")[:most]
        return [
            Ranked(
                names[k],
                self._survey.get(names[k]),
                float(scores[k]),
                tuple(self._forest.reasons(rows[k], weights, self._names)),
            )
            for k in best.tolist()
        ]
