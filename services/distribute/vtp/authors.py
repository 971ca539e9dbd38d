"""The authors' port: one packet per connection, answered when Kafka has it."""

from __future__ import annotations

import asyncio
import re
import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from services.distribute.vtp.whitelist import Whitelist
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.vtp import LENGTH_BYTES, described, framed, identity_of, transport

log = structlog.get_logger()

Keep = Callable[[bytes, bytes], Awaitable[None]]
"""Puts a packet with its identity on ``voevents.received``; returns when it is safe."""
_REMEMBERED = 100_000
_ROLES = frozenset({"observation", "prediction", "utility", "test"})
_IVORN = re.compile(r"^ivo://([a-zA-Z0-9][\w.~*'()-]{2,})(/[\w./~*'()-]*)?[#?][^\s<>\"]+$")


class Authors:
    """Takes packets from authors.

    Parameters
    ----------
    settings
        The broker's.
    ivorn
        Who we say we are.
    keep
        Makes a packet safe.
    metrics
        Where outcomes are counted.
    """

    def __init__(self, settings: VtpSettings, ivorn: str, keep: Keep, metrics: VtpMetrics) -> None:
        self._settings = settings
        self._ivorn = ivorn
        self._keep = keep
        self._metrics = metrics
        self._whitelist = Whitelist(settings.vtp_authors)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._connected = 0

    def remember(self, identity: bytes) -> None:
        """A packet that is on the topic already."""
        self._known[identity] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        self._connected += 1
        try:
            if not self._whitelist.allows(address):
                self._metrics.closed.labels("author_not_listed").inc()
                return
            if self._connected > self._settings.vtp_most_authors:
                self._metrics.closed.labels("too_many_authors").inc()
                return
            async with asyncio.timeout(self._settings.vtp_frame_s):
                answer = await self._answer(await self._packet(reader), address)
                writer.write(framed(answer))
                await writer.drain()
        except (TimeoutError, EOFError, OSError, UpstreamUnavailableError) as error:
            # Without a receipt the author knows that it must come again.
            log.warning("vtp_author_unanswered", address=address, error=repr(error))
        finally:
            self._connected -= 1
            writer.close()

    async def _packet(self, reader: asyncio.StreamReader) -> bytes | None:
        """The packet; None for one of a size that we do not take."""
        (length,) = struct.unpack(">i", await reader.readexactly(LENGTH_BYTES))
        if not 0 < length <= self._settings.vtp_packet_bytes:
            return None
        return await reader.readexactly(length)

    async def _answer(self, packet: bytes | None, address: str) -> bytes:
        try:
            if packet is None:
                most = self._settings.vtp_packet_bytes
                raise RejectedRecordError("bad_length", f"a packet has 1 to {most} bytes")
            ivorn = self._judged(packet)
        except RejectedRecordError as error:
            self._metrics.received.labels("refused").inc()
            log.warning("vtp_author_refused", address=address, reason=error.reason)
            return transport("nak", self._ivorn, self._ivorn, error.detail[:200])
        identity = identity_of(packet or b"")
        if identity in self._known:
            self._metrics.received.labels("known").inc()
            return transport("ack", ivorn, self._ivorn)
        await self._keep(packet or b"", identity)
        self.remember(identity)
        self._metrics.received.labels("taken").inc()
        log.info("vtp_author_packet", address=address, ivorn=ivorn)
        return transport("ack", ivorn, self._ivorn)

    def _judged(self, packet: bytes) -> str:
        """The packet's identifier.

        Raises
        ------
        RejectedRecordError
            If it is no VOEvent, or says that it is ours.
        """
        message = described(packet)
        if message.name != "VOEvent":
            raise RejectedRecordError("not_voevent", f"a VOEvent was expected, not {message.name}")
        if message.role not in _ROLES:
            raise RejectedRecordError("bad_role", f"no role {message.role[:40]!r}")
        found = _IVORN.match(message.origin)
        if found is None:
            raise RejectedRecordError("bad_ivorn", "ivorn is not ivo://authority/stream#local_id")
        if found[1].lower() == self._settings.voevent_authority.lower():
            raise RejectedRecordError("forged", f"{found[1]} is the authority of this broker")
        return message.origin
