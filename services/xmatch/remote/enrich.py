"""The enricher: open questions in, updates out, one table of one service at a time.

Nothing of it is in the way of an alert. What it cannot settle now stays in the database and is
tried again later; what a service will not answer after many attempts is given up and counted.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from services.xmatch.remote.asking import Asker
from services.xmatch.remote.base import (
    Position,
    RemoteError,
    RemoteService,
    RemoteTable,
    Source,
)
from services.xmatch.remote.memory import (
    CELL_WIDTH_ARCSEC,
    MOST_SOURCES,
    KeptAnswer,
    Memory,
    OpenQuestion,
    object_key,
)
from shared.kafka.records import Message
from shared.schemas.update import MAX_MATCHES, Match, Update
from shared.sky.separation import separation_arcsec

log = structlog.get_logger()

NOT_OUR_FAULT = frozenset(
    {"breaker_open", "budget_spent", "timeout", "unreachable", "cut", "server_error", "busy"}
)
"""Ends that say nothing about the question: it is asked again without being blamed."""

Send = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """When a question is asked again, and when it is given up."""

    attempts: int = 5
    """Of those that are the question's own fault: refused, malformed, too large."""
    pause_s: float = 60.0
    longest_pause_s: float = 3_600.0
    give_up_days: float = 3.0
    """Age at which an unanswered question is of no more use."""


@dataclass(slots=True)
class Outcome:
    """What one round did."""

    asked: int = 0
    """Positions that were sent."""
    from_memory: int = 0
    """Questions settled without asking."""
    updates: int = 0
    given_up: int = 0
    postponed: int = 0
    why: str | None = None
    """Kind of the failure, if there was one."""

    @property
    def is_idle(self) -> bool:
        """Nothing was due, or nothing can be done now."""
        return not (self.asked or self.from_memory or self.given_up)


class Enricher:
    """Asks one table of one service about whatever is due.

    Parameters
    ----------
    send
        Sends updates; returns when they are on the topic.
    most_positions
        In one request; halved when an answer overflows, and grown again.
    """

    def __init__(
        self,
        service: RemoteService,
        table: RemoteTable,
        asker: Asker,
        memory: Memory,
        send: Send,
        patience: Patience,
        most_positions: int,
    ) -> None:
        self.name = f"{service.name}/{table.name}"
        self._service, self._table, self._asker = service, table, asker
        self._memory, self._send, self._patience = memory, send, patience
        self._most = self._now_most = min(most_positions, service.most_positions)

    async def round(self) -> Outcome:
        """Settle what is due, one request at most.

        Raises
        ------
        UpstreamUnavailableError
            If the database is away; nothing is lost.
        """
        outcome = Outcome()
        questions = await self._memory.due(self.name, _now_ms(), self._now_most)
        questions = await self._give_up(questions, outcome)
        if not questions:
            return outcome
        cells = [question.position.key for question in questions]
        known = await self._memory.answers(self.name, cells, _now_ms())
        asked = [question for question in questions if question.position.key not in known]
        outcome.from_memory = len(questions) - len(asked)
        if asked:
            try:
                known |= await self._ask(asked)
                outcome.asked = len({question.position.key for question in asked})
            except RemoteError as error:
                await self._put_off(asked, error, outcome)
        settled = [question for question in questions if question.position.key in known]
        outcome.updates = await self._tell(settled, known)
        await self._memory.settle(settled)
        return outcome

    async def _ask(self, questions: Sequence[OpenQuestion]) -> dict[str, KeptAnswer]:
        """Ask the service about the cells of ``questions``, and remember what it says."""
        positions = {question.position.key: question.position for question in questions}
        radius_arcsec = self._table.radius_arcsec + CELL_WIDTH_ARCSEC
        request = self._service.request(self._table, list(positions.values()), radius_arcsec)
        asked_ms = _now_ms()
        raw = await self._asker.ask(request)
        answered_ms = _now_ms()
        answer = self._service.read(self._table, raw.body)
        strangers = answer.sources.keys() - positions.keys()
        if strangers:
            raise RemoteError("malformed", f"about {sorted(strangers)[0]!r}, which we did not ask")
        self._now_most = min(2 * self._now_most, self._most)
        version = answer.version or raw.server
        answers = {
            key: KeptAnswer(
                nearest(answer.sources.get(key, ()), position, radius_arcsec),
                asked_ms, answered_ms, version, frozenset(),
            )
            for key, position in positions.items()
        }  # fmt: skip
        await self._memory.keep(self.name, answers)
        return answers

    async def _tell(self, questions: Sequence[OpenQuestion], answers: dict[str, KeptAnswer]) -> int:
        """Send an update for each question whose object has not been told of the answer."""
        messages: list[Message] = []
        told: dict[str, list[str]] = defaultdict(list)
        for question in questions:
            key = object_key(question.wanted)
            answer = answers[question.position.key]
            if key in answer.told:
                continue
            update = self.update_of(question, answer)
            messages.append(Message(update.to_json(), key=update.key))
            told[question.position.key].append(key)
        if messages:
            await self._send(messages)
            await self._memory.tell(self.name, told)
        return len(messages)

    def update_of(self, question: OpenQuestion, answer: KeptAnswer) -> Update:
        """The update about one object: the answer's sources as seen from its own position."""
        wanted = question.wanted
        matches: list[Match] = [
            {
                "catalog": self._table.name,
                "catalog_version": answer.version,
                "source_id": source.source_id,
                "source_class": source.source_class,
                "separation_arcsec": round(separation, 4),
                "redshift": source.redshift,
                "magnitude": source.magnitude,
                "major_axis_arcsec": source.major_axis_arcsec,
            }
            for separation, source in _by_distance(
                answer.sources, question.position, self._table.radius_arcsec
            )
        ]
        return Update(
            source=self.name,
            survey=wanted.survey,
            object_id=wanted.object_id,
            alert_id=wanted.alert_id,
            ra_deg=wanted.ra_deg,
            dec_deg=wanted.dec_deg,
            radius_arcsec=self._table.radius_arcsec,
            matches=tuple(matches[:MAX_MATCHES]),
            asked_ms=answer.asked_ms,
            answered_ms=answer.answered_ms,
            service_url=self._asker.url,
            service_version=answer.version,
        )

    async def _put_off(
        self, questions: Sequence[OpenQuestion], error: RemoteError, outcome: Outcome
    ) -> None:
        outcome.why, outcome.postponed = error.kind, len(questions)
        if error.kind in {"overflow", "too_large"} and len(questions) > 1:
            # Fewer at a time, at once: the answer was too long, not the question wrong.
            self._now_most = max(1, len(questions) // 2)
            return
        is_blamed = error.kind not in NOT_OUR_FAULT
        attempts = max(question.attempts for question in questions) if is_blamed else 0
        pause_s = min(self._patience.pause_s * 2**attempts, self._patience.longest_pause_s)
        if is_blamed and len(questions) > 1:
            # One position may spoil it for all: smaller groups find out which.
            self._now_most = max(1, len(questions) // 2)
        pause_s *= 0.75 + 0.5 * random.random()  # noqa: S311  # so that workers do not march in step
        await self._memory.postpone(questions, _now_ms() + int(1000 * pause_s), blame=is_blamed)
        log.warning("remote_postponed", table=self.name, why=error.kind, detail=error.detail,
                    questions=len(questions), again_in_s=round(pause_s))  # fmt: skip

    async def _give_up(
        self, questions: Sequence[OpenQuestion], outcome: Outcome
    ) -> list[OpenQuestion]:
        """The questions that are still worth asking; the others are forgotten."""
        oldest_ms = _now_ms() - int(self._patience.give_up_days * 86_400_000)
        hopeless = [
            question
            for question in questions
            if question.attempts >= self._patience.attempts or question.asked_first_ms < oldest_ms
        ]
        if hopeless:
            await self._memory.settle(hopeless)
            outcome.given_up = len(hopeless)
            log.warning("remote_given_up", table=self.name, questions=len(hopeless))
        gone = {question.id for question in hopeless}
        return [question for question in questions if question.id not in gone]


def nearest(
    sources: Sequence[Source], position: Position, radius_arcsec: float
) -> tuple[Source, ...]:
    """Sources that really lie within the radius, nearest first, at most ``MOST_SOURCES``."""
    within = _by_distance(sources, position, radius_arcsec)
    return tuple(source for _, source in within)[:MOST_SOURCES]


def _by_distance(
    sources: Sequence[Source], position: Position, radius_arcsec: float
) -> Iterator[tuple[float, Source]]:
    """Sources within a radius and their separation in arcseconds, nearest first."""
    separation = separation_arcsec(
        position.ra_deg,
        position.dec_deg,
        np.array([source.ra_deg for source in sources], dtype=np.float64),
        np.array([source.dec_deg for source in sources], dtype=np.float64),
    )
    for row in np.argsort(separation, kind="stable"):
        if separation[row] <= radius_arcsec:
            yield float(separation[row]), sources[row]


def _now_ms() -> int:
    return int(time.time() * 1000)
