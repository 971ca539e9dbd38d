"""Follows what is watched: a worker takes up a new compilation without a restart."""

from __future__ import annotations

import time
from pathlib import Path

import structlog

from services.xmatch.watchlists.compiled import Watched, open_watched
from services.xmatch.watchlists.entries import WatchlistError
from services.xmatch.watchlists.register import Register
from shared.sky.cone_search import Queries, cone_search

log = structlog.get_logger()


class Following:
    """The latest compilation of a folder, looked for at most every ``every_s`` seconds.

    A damaged one is logged, and the one before goes on being used.
    """

    def __init__(self, folder: Path, every_s: float = 2.0) -> None:
        self._register = Register(folder)
        self._every_s = every_s
        self._looked_s = float("-inf")
        self._folder: Path | None = None
        self._watched: Watched | None = None

    def latest(self) -> Watched | None:
        """What is watched now; None if nothing is."""
        now_s = time.monotonic()
        if now_s - self._looked_s < self._every_s:
            return self._watched
        self._looked_s = now_s
        folder = self._register.current()
        if folder != self._folder:
            self._folder = folder
            self._take_up(folder)
        return self._watched

    def _take_up(self, folder: Path | None) -> None:
        if folder is None:
            self._watched = None
            log.info("watchlists_none")
            return
        try:
            watched = open_watched(folder)
        except WatchlistError as error:
            log.error("watchlists_damaged", error=str(error))
            return
        cone_search(watched.positions, Queries.at(0.0, 0.0))  # compile now, not at an alert
        self._watched = watched
        log.info(
            "watchlists_taken_up", identity=watched.identity, lists=len(watched.lists),
            regions=len(watched.regions), positions=len(watched.positions),
        )  # fmt: skip
