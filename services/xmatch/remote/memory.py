"""What the enricher remembers in the database: questions still open, answers not yet too old.

An answer is kept for the cell of the position asked about (order 18, at most 1.7 arcsec across)
and was asked for with a radius wider by ``CELL_WIDTH_ARCSEC``: it holds, whole, for every other
position of the cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from services.xmatch.remote.base import Position, Source
from services.xmatch.remote.wanted import Wanted
from shared.sky.healpix import healpix_of
from shared.store import Collection, Store

CELL_ORDER = 18
CELL_WIDTH_ARCSEC = 1.75
"""No two points of a cell are farther apart: 1.681 at the corners of the base cells, measured."""
MOST_SOURCES = 200
"""Sources of one answer that are kept, the nearest: enough for the cores of clusters."""
_MOST_TOLD = 50
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One object that one table is to be asked about."""

    id: str
    wanted: Wanted
    position: Position
    attempts: int
    asked_first_ms: int


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a table holds around one cell."""

    sources: tuple[Source, ...]
    asked_ms: int
    answered_ms: int
    version: str | None
    told: frozenset[str]
    """Objects for which it has been sent already."""


def object_key(wanted: Wanted) -> str:
    """``survey:object_id``, as in the database's ``objects``."""
    return f"{wanted.survey}:{wanted.object_id}"


def positions_of(wanted: Sequence[Wanted]) -> list[Position]:
    """Positions to ask about, whose key is their cell."""
    ra_deg = np.array([one.ra_deg for one in wanted], dtype=np.float64)
    dec_deg = np.array([one.dec_deg for one in wanted], dtype=np.float64)
    cells = healpix_of(CELL_ORDER, ra_deg, dec_deg).tolist()
    return [
        Position(str(cell), one.ra_deg, one.dec_deg)
        for cell, one in zip(cells, wanted, strict=True)
    ]


class Memory:
    """Questions and answers of one database.

    Parameters
    ----------
    store
        The database.
    keep_days
        Age at which an answer is asked for again.
    most_answers, most_questions
        More than these are not kept: the oldest answers go; new questions are not taken.
    """

    def __init__(
        self, store: Store, *, keep_days: float, most_answers: int, most_questions: int
    ) -> None:
        self._store = store
        self._keep_ms = int(keep_days * _DAY_MS)
        self._most_answers, self._most_questions = most_answers, most_questions

    async def add(self, tables: Iterable[str], wanted: Sequence[Wanted], now_ms: int) -> int:
        """Remember to ask ``tables`` about objects; returns how many it had no room for."""
        names = list(tables)
        room = self._most_questions - await self._store.count(Collection.REMOTE_QUESTIONS, {})
        taken = wanted[: max(room, 0) // max(len(names), 1)]
        updates = {
            f"{name}:{object_key(one)}": {
                "$set": asdict(one),
                "$setOnInsert": {"service": name, "due_ms": now_ms, "attempts": 0,
                                 "asked_first_ms": now_ms},
            }
            for name in names
            for one in taken
        }  # fmt: skip
        await self._store.upsert(Collection.REMOTE_QUESTIONS, updates)
        return len(wanted) - len(taken)

    async def due(self, table: str, now_ms: int, most: int) -> list[OpenQuestion]:
        """Questions for a table whose time has come, at most ``most``."""
        query = {"service": table, "due_ms": {"$lte": now_ms}}
        documents = await self._store.find(Collection.REMOTE_QUESTIONS, query, limit=most)
        wanted = [_wanted_of(document) for document in documents]
        return [
            OpenQuestion(
                document["_id"], one, position, document["attempts"], document["asked_first_ms"]
            )
            for document, one, position in zip(documents, wanted, positions_of(wanted), strict=True)
        ]

    async def waiting(self, table: str) -> int:
        """How many questions are open for a table."""
        return await self._store.count(Collection.REMOTE_QUESTIONS, {"service": table})

    async def settle(self, questions: Sequence[OpenQuestion]) -> None:
        """Forget questions; one whose object has had a newer alert meanwhile too."""
        ids = [question.id for question in questions]
        if ids:
            await self._store.remove(Collection.REMOTE_QUESTIONS, {"_id": {"$in": ids}})

    async def postpone(
        self, questions: Sequence[OpenQuestion], due_ms: int, *, blame: bool
    ) -> None:
        """Ask again at ``due_ms``; ``blame`` counts it as an attempt."""
        change = {"$set": {"due_ms": due_ms}, "$inc": {"attempts": int(blame)}}
        await self._store.update(
            Collection.REMOTE_QUESTIONS, {question.id: change for question in questions}
        )

    async def answers(self, table: str, cells: Iterable[str], now_ms: int) -> dict[str, KeptAnswer]:
        """Answers by cell that are not too old."""
        ids = [f"{table}:{cell}" for cell in set(cells)]
        query = {"_id": {"$in": ids}, "expires_ms": {"$gt": now_ms}}
        return {
            document["_id"].rpartition(":")[2]: KeptAnswer(
                tuple(Source(**source) for source in document["sources"]),
                document["asked_ms"],
                document["answered_ms"],
                document.get("version"),
                frozenset(document.get("told", ())),
            )
            for document in await self._store.find(Collection.REMOTE_ANSWERS, query)
        }

    async def keep(self, table: str, answers: Mapping[str, KeptAnswer]) -> None:
        """Remember answers by cell."""
        updates: dict[str, dict[str, Any]] = {
            f"{table}:{cell}": {
                "$set": {
                    "sources": [asdict(source) for source in answer.sources],
                    "asked_ms": answer.asked_ms,
                    "answered_ms": answer.answered_ms,
                    "expires_ms": answer.answered_ms + self._keep_ms,
                    "version": answer.version,
                    "told": sorted(answer.told),
                }
            }
            for cell, answer in answers.items()
        }
        await self._store.upsert(Collection.REMOTE_ANSWERS, updates)

    async def tell(self, table: str, told: Mapping[str, Sequence[str]]) -> None:
        """Remember by cell for which objects its answer has been sent."""
        updates = {
            f"{table}:{cell}": {"$addToSet": {"told": {"$each": list(objects)[:_MOST_TOLD]}}}
            for cell, objects in told.items()
        }
        await self._store.update(Collection.REMOTE_ANSWERS, updates)

    async def prune(self, now_ms: int) -> int:
        """Forget answers that are too old, and the oldest if there are too many; how many."""
        removed = await self._store.remove(
            Collection.REMOTE_ANSWERS, {"expires_ms": {"$lte": now_ms}}
        )
        for part in (0.1, 0.25, 0.5, 0.75, 0.9, 1.0):
            if await self._store.count(Collection.REMOTE_ANSWERS, {}) <= self._most_answers:
                break
            removed += await self._store.remove(
                Collection.REMOTE_ANSWERS,
                {"expires_ms": {"$lte": now_ms + int(part * self._keep_ms)}},
            )
        return removed


def _wanted_of(document: Mapping[str, Any]) -> Wanted:
    return Wanted(
        document["survey"],
        document["object_id"],
        document["alert_id"],
        document["ra_deg"],
        document["dec_deg"],
    )
