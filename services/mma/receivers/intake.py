"""One way in for notices from everywhere: read, put on ``notices`` once, or set aside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from services.mma.receivers.sandbox import Sandbox
from shared.errors import RejectedRecordError
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import MAX_PAYLOAD_BYTES, DeadLetter
from shared.schemas.notice import Notice, notice_id_of
from shared.settings import ServiceSettings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a payload."""

    outcome: Literal["taken", "known", "refused"]
    notice: Notice | None = None
    reason: str = ""
    detail: str = ""


Take = Callable[[str, bytes], Awaitable[Taken]]
"""What a receiver calls with the name of the source and the bytes that came."""


class Intake:
    """Puts each notice on the topic once, however often and by however many ways it comes.

    Parameters
    ----------
    settings
        Where Kafka is, and the prefix of topics.
    outbox
        The way out; a send returns when Kafka has acknowledged.
    on_taken
        Called with source and outcome, to count.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        outbox: Outbox,
        on_taken: Callable[[str, Taken], None] = lambda *_: None,
    ) -> None:
        self._outbox = outbox
        self._notices = Topic.NOTICES.named(settings.topic_prefix)
        self._dead_letters = Topic.DEAD_LETTERS.named(settings.topic_prefix)
        self._on_taken = on_taken
        self._known: set[str] = set()
        self._sandbox = Sandbox()
        self._one_at_a_time = asyncio.Lock()

    def remember(self, notice_id: str) -> None:
        """The notice is on the topic already, as a reader of the topic has seen."""
        self._known.add(notice_id)

    async def take(self, source: str, payload: bytes) -> Taken:
        """Take in a payload; returns when it is safe in Kafka, as a notice or a dead letter."""
        async with self._one_at_a_time:
            taken = await self._take(source, payload)
        self._on_taken(source, taken)
        if taken.outcome == "refused":
            log.warning("notice_refused", source=source, reason=taken.reason, detail=taken.detail)
        return taken

    async def _take(self, source: str, payload: bytes) -> Taken:
        now_ms = int(time.time() * 1000)
        if notice_id_of(payload) in self._known:
            return Taken("known")
        try:
            notice = await self._sandbox.read(payload, now_ms)
        except RejectedRecordError as error:
            await self._set_aside(source, payload, error, now_ms)
            return Taken("refused", None, error.reason, error.detail)
        # What came gzipped has the identity of what was in it.
        if notice.notice_id in self._known:
            return Taken("known", notice)
        await self._outbox.send(self._notices, [Message(notice.to_json(), key=notice.key)])
        self._known.add(notice.notice_id)
        return Taken("taken", notice)

    async def _set_aside(
        self, source: str, payload: bytes, error: RejectedRecordError, now_ms: int
    ) -> None:
        letter = DeadLetter(
            stage="mma", reason=error.reason, detail=error.detail, origin_topic=source,
            origin_partition=0, origin_offset=now_ms, taken_from=source, set_aside_ms=now_ms,
            payload=payload if len(payload) <= MAX_PAYLOAD_BYTES else None,
        )  # fmt: skip
        await self._outbox.send(self._dead_letters, [Message(letter.to_json(), key=letter.key)])

    def close(self) -> None:
        """End the parser's process."""
        self._sandbox.close()
