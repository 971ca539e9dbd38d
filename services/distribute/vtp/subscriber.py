"""One subscriber's connection. Nothing here waits: what cannot be written is counted, then cut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import structlog

from services.distribute.vtp.filters import refusal
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from shared.errors import RejectedRecordError
from shared.vtp import LENGTH_BYTES, described, framed, transport

log = structlog.get_logger()

MAX_TRANSPORT_BYTES = 65_536
"""Largest message of a subscriber: receipts, and filters."""
_HEAD_BYTES = 400
_ACK = b'role="ack"'
"""What nearly every message holds: found without parsing, 1,000 subscribers send many."""


@dataclass
class Gate:
    """What all connections of subscribers share: who may be here, and who is."""

    settings: VtpSettings
    ivorn: str
    metrics: VtpMetrics
    admits: Callable[[str], str | None]
    """Why an address is not let in; None if it is."""
    lines: set[SubscriberLine] = field(default_factory=set)
    receipts: int = 0
    """Acknowledgements since they were last counted in the metrics."""

    def count_receipts(self) -> None:
        """Put the acknowledgements into the metrics: once a second, not once each."""
        receipts, self.receipts = self.receipts, 0
        self.metrics.receipts.labels("ack").inc(receipts)


class SubscriberLine(asyncio.Protocol):
    """A subscriber: sent packets, and asked now and then whether it lives."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._begun_s: float | None = None
        self._heard_s = time.monotonic()
        self._asked_s: float | None = None
        self._unacknowledged = 0
        self.address = ""
        self.filters: tuple[str, ...] = ()

    def connection_made(self, transport_: asyncio.BaseTransport) -> None:
        """Let it in, and ask who it is: the answer may bring filters, and is not needed."""
        self._transport = cast(asyncio.Transport, transport_)
        peer = transport_.get_extra_info("peername") or ("",)
        self.address = str(peer[0])
        why = self._gate.admits(self.address)
        if why is not None:
            self.close(why)
            return
        self._gate.lines.add(self)
        self._gate.metrics.subscribers.set(len(self._gate.lines))
        self._say(transport("authenticate", self._gate.ivorn))
        log.info("vtp_subscriber", address=self.address, subscribers=len(self._gate.lines))

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._gate.lines.discard(self)
        self._gate.metrics.subscribers.set(len(self._gate.lines))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Receipts and answers. Receipts are counted without parsing: there are very many."""
        self._heard_s, self._asked_s = time.monotonic(), None
        if self._rest:
            data = self._rest + data
        at, receipts = 0, 0
        while len(data) - at >= LENGTH_BYTES:
            begin = at + LENGTH_BYTES
            length = int.from_bytes(data[at:begin], "big", signed=True)
            if not 0 < length <= MAX_TRANSPORT_BYTES:
                self.close("bad_frame")
                return
            if len(data) < begin + length:
                break
            at = begin + length
            if data.find(_ACK, begin, min(at, begin + _HEAD_BYTES)) >= 0:
                receipts += 1
            elif not self._took(data[begin:at]):
                return
        self._unacknowledged = max(0, self._unacknowledged - receipts)
        self._gate.receipts += receipts
        self._rest = data[at:]
        if not self._rest:
            self._begun_s = None
        elif at or self._begun_s is None:
            self._begun_s = self._heard_s

    def _took(self, frame: bytes) -> bool:
        """Act on a message; whether the connection goes on."""
        try:
            message = described(frame)
        except RejectedRecordError as error:
            self.close(error.reason)
            return False
        if message.name != "Transport":
            self.close("not_transport")
            return False
        if message.role in {"ack", "nak"}:
            # After a refusal that packet is not sent again; none ever is.
            self._unacknowledged = max(0, self._unacknowledged - 1)
            self._gate.metrics.receipts.labels(message.role).inc()
        elif message.role == "authenticate":
            self._set_filters(message.filters)
        return True

    def _set_filters(self, wanted: tuple[str, ...]) -> None:
        """Take what filters are fit; say which are not."""
        fit = []
        for expression in wanted[: self._gate.settings.vtp_most_filters]:
            why = refusal(expression)
            if why is None:
                fit.append(expression)
            else:
                self._say(transport("nak", self._gate.ivorn, self._gate.ivorn, f"filter: {why}"))
                log.warning("vtp_filter_refused", address=self.address, why=why)
        self.filters = tuple(fit)

    def send(self, frames: bytes, packets: int) -> None:
        """Write packets, or cut the line if the subscriber is too far behind."""
        if self._transport is None or self._transport.is_closing():
            return
        settings = self._gate.settings
        self._unacknowledged += packets
        if self._unacknowledged > settings.vtp_unacknowledged:
            self.close("no_receipts")
        elif self.backlog + len(frames) > 1024 * settings.vtp_backlog_kib:
            self.close("too_slow")
        else:
            self._transport.write(frames)

    @property
    def backlog(self) -> int:
        """Bytes that wait to be written."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def tick(self, now_s: float) -> None:
        """Ask whether it lives; cut it if it does not, or if it dawdles over a message."""
        settings = self._gate.settings
        if self._begun_s is not None and now_s - self._begun_s > settings.vtp_frame_s:
            self.close("slow_frame")
        elif self._asked_s is not None and now_s - self._asked_s > settings.vtp_alive_s:
            self.close("not_alive")
        elif self._asked_s is None and now_s - self._heard_s > settings.vtp_alive_s:
            self._asked_s = now_s
            self._say(transport("iamalive", self._gate.ivorn))

    def _say(self, document: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(framed(document))

    def close(self, reason: str) -> None:
        """End the connection at once."""
        self._gate.metrics.closed.labels(reason).inc()
        self._gate.lines.discard(self)
        self._gate.metrics.subscribers.set(len(self._gate.lines))
        log.info("vtp_subscriber_cut", address=self.address, reason=reason)
        if self._transport is not None:
            self._transport.abort()


def as_protocol(gate: Gate) -> Callable[[], Any]:
    """What ``loop.create_server`` calls for each connection."""
    return lambda: SubscriberLine(gate)
