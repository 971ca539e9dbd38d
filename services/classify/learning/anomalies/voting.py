"""Users and their votes over one stream: scores that follow a vote within seconds.

``Panel`` is all of it, in memory: the shared forest, the objects that can be asked about, and for
each user the votes and the weights they come to. A vote costs one fit of that user's weights
(about a tenth of a second) and touches nobody else. Restarted, the panel takes the votes again
from their topic, and stands where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self._votes: dict[str, dict[str, Vote]] = {}
        self._weights: dict[str, Floats] = {}
        self._voted: dict[str, npt.NDArray[np.float32]] = {}

    @property
    def users(self) -> list[str]:
        """Those who have voted."""
        return sorted(self._votes)

    def __len__(self) -> int:
        """How many objects can be asked about."""
        return len(self._rows)

    def see(self, object_ids: Sequence[str], rows: Rows) -> None:
        """Take alerts in: the newest row of an object counts."""
        for name, row in zip(object_ids, rows, strict=True):
            self._rows.pop(name, None)
            self._rows[name] = row
        while len(self._rows) > self._capacity:
            del self._rows[next(iter(self._rows))]

    def take(self, votes: Sequence[Vote]) -> list[str]:
        """Take votes in and fit their users' weights; returns the users that changed.

        A vote about an object that was never seen is kept, and counts once the object is seen
        and the user votes again. An older vote never undoes a newer one.
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
                del own[next(iter(own))]
            if vote.object_id in self._rows:
                self._voted[vote.object_id] = self._rows[vote.object_id]
            changed[vote.user] = None
        for user in changed:
            self._fit(user)
        return list(changed)

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
                float(scores[k]),
                tuple(self._forest.reasons(rows[k], weights, self._names)),
            )
            for k in best.tolist()
        ]
