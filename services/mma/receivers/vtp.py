"""A VTP 2.0 subscriber: VOEvents from any broker of the VOEvent network, Comet upstream too.

IVOA REC VTP 2.0 (2017-03-20). A message is four bytes of length, big-endian, and one XML document:
a VOEvent, or a Transport. Ours is acknowledged when our own Kafka has it, and never refused
because it is known; brokers that ask for authentication get an answer, filters are not set.
"""

from __future__ import annotations

import asyncio
import struct

import structlog

from services.mma.receivers.intake import Take
from shared.errors import RejectedRecordError
from shared.vtp import described, framed, transport

log = structlog.get_logger()

MAX_VTP_BYTES = 1024 * 1024
SILENCE_S = 150.0
"""Brokers send iamalive every 60 to 90 s; longer silence is a dead line (pygcn waits as long)."""
_FIRST_RETRY_S = 1.0
_LAST_RETRY_S = 60.0


class VtpError(Exception):
    """The other side breaks the protocol; the connection is given up and made anew."""


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """One message.

    Raises
    ------
    VtpError
        A length of nothing, or of more than ``MAX_VTP_BYTES``.
    asyncio.IncompleteReadError
        The line was closed.
    """
    (length,) = struct.unpack(">i", await reader.readexactly(4))
    if not 0 < length <= MAX_VTP_BYTES:
        raise VtpError(f"a message of {length} bytes")
    return await reader.readexactly(length)


async def receive(server: str, ivorn: str, take: Take) -> None:
    """Follow one broker for ever, connecting again whenever the line breaks.

    Parameters
    ----------
    server
        ``host:port``.
    ivorn
        How we call ourselves.
    take
        The intake.
    """
    host, _, port = server.rpartition(":")
    pause_s = _FIRST_RETRY_S
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            log.info("vtp_connected", server=server)
            try:
                while True:
                    await _answer(reader, writer, server, ivorn, take)
                    pause_s = _FIRST_RETRY_S
            finally:
                writer.close()
        except (OSError, EOFError, VtpError, TimeoutError) as error:
            log.warning("vtp_retry", server=server, error=repr(error), in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LAST_RETRY_S)


async def _answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    server: str,
    ivorn: str,
    take: Take,
) -> None:
    """Read one message, act on it, answer it."""
    async with asyncio.timeout(SILENCE_S):
        payload = await read_message(reader)
    try:
        message = described(payload)
    except RejectedRecordError as error:
        writer.write(framed(transport("nak", ivorn, ivorn, error.detail[:200])))
        await take(f"vtp://{server}", payload)
        await writer.drain()
        return
    if message.name == "Transport":
        if message.role in {"iamalive", "authenticate"}:
            writer.write(framed(transport(message.role, message.origin, ivorn)))
        await writer.drain()
        return
    taken = await take(f"vtp://{server}", payload)
    # Only what cannot be read is refused: a refusal is for ever.
    role = "nak" if taken.outcome == "refused" else "ack"
    writer.write(framed(transport(role, message.origin, ivorn, taken.detail[:200])))
    await writer.drain()
