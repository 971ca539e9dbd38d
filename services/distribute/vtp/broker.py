"""The broker: ports, subscribers, and the rounds in which packets go to all of them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Sequence

import structlog

from services.distribute.vtp.authors import Authors, Keep
from services.distribute.vtp.filters import FilterJudge
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from services.distribute.vtp.subscriber import Gate, SubscriberLine, as_protocol
from services.distribute.vtp.whitelist import Whitelist
from shared.vtp import framed

log = structlog.get_logger()
_TICK_S = 1.0
_AT_ONCE = 200
"""Subscribers written to before others get a turn: receipts are read in between."""
_MOST_PER_ROUND = 100
_MOST_TO_FILTER = 10_000


class Broker:
    """VTP 2.0, both sides of it.

    Parameters
    ----------
    settings
        The broker's.
    keep
        Where authors' packets go.
    metrics
        What is counted.
    """

    def __init__(self, settings: VtpSettings, keep: Keep, metrics: VtpMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._whitelist = Whitelist(settings.vtp_subscribers)
        ivorn = f"ivo://{settings.voevent_authority}/broker"
        self._gate = Gate(settings, ivorn, metrics, self._refusal)
        self.authors = Authors(settings, ivorn, keep, metrics)
        self._judge = FilterJudge(settings.vtp_filter_s)
        self._servers: list[asyncio.Server] = []
        self._to_filter: asyncio.Queue[bytes] = asyncio.Queue(_MOST_TO_FILTER)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen on every port that is set."""
        loop = asyncio.get_running_loop()
        s = self._settings
        for port, tls in ((s.vtp_port, None), (s.vtp_tls_port, self._tls(None))):
            if port:
                protocol = as_protocol(self._gate)
                server = await loop.create_server(protocol, s.vtp_host, port, ssl=tls)
                self._servers.append(server)
        author_tls = self._tls(s.vtp_author_ca_file is not None)
        for port, tls in ((s.vtp_author_port, None), (s.vtp_author_tls_port, author_tls)):
            if port:
                server = await asyncio.start_server(
                    self.authors.serve, s.vtp_host, port, ssl=tls, limit=s.vtp_packet_bytes
                )
                self._servers.append(server)
        self._tasks = [
            asyncio.create_task(self._tick_for_ever()),
            asyncio.create_task(self._filter_for_ever()),
        ]

    def _tls(self, demands_certificate: bool | None) -> ssl.SSLContext | None:
        """Our side of TLS; None where no certificate is set."""
        s = self._settings
        if s.vtp_certificate_file is None:
            if s.vtp_tls_port or s.vtp_author_tls_port:
                raise ValueError("a port with TLS needs TOCSIN_VTP_CERTIFICATE_FILE")
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(s.vtp_certificate_file, s.vtp_key_file)
        if demands_certificate:
            context.load_verify_locations(s.vtp_author_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _refusal(self, address: str) -> str | None:
        """Why a subscriber is not let in."""
        if not self._whitelist.allows(address):
            return "not_listed"
        if len(self._gate.lines) >= self._settings.vtp_most_subscribers:
            return "too_many"
        same = Counter(line.address for line in self._gate.lines)[address]
        if same >= self._settings.vtp_most_per_address:
            return "too_many_from_one_address"
        return None

    async def relay(self, packets: Sequence[bytes]) -> None:
        """Hand packets to everyone who wants them; never waits for a subscriber."""
        for start in range(0, len(packets), _MOST_PER_ROUND):
            await self._round(packets[start : start + _MOST_PER_ROUND])

    async def _round(self, packets: Sequence[bytes]) -> None:
        """To everyone without filters now; the others' turn comes in a task of its own."""
        began_s = time.monotonic()
        frames = [framed(packet) for packet in packets]
        everything = b"".join(frames)
        plain = [line for line in self._gate.lines if not line.filters]
        if len(plain) < len(self._gate.lines):
            self._sort_out(packets)
        for number, line in enumerate(plain):
            line.send(everything, len(frames))
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        self._metrics.relayed.inc(len(frames) * len(plain))
        self._metrics.round_seconds.observe(time.monotonic() - began_s)

    def _sort_out(self, packets: Sequence[bytes]) -> None:
        """Queue packets for those with filters; cut them if their filters cannot keep pace."""
        try:
            for packet in packets:
                self._to_filter.put_nowait(packet)
        except asyncio.QueueFull:
            for line in [line for line in self._gate.lines if line.filters]:
                line.close("filters_behind")

    async def _filter_for_ever(self) -> None:
        while True:
            packet = await self._to_filter.get()
            lines = [line for line in self._gate.lines if line.filters]
            wanted = sorted({text for line in lines for text in line.filters})
            try:
                verdicts = await self._judge.passed(packet, wanted)
            except OSError as error:
                log.error("vtp_filters_down", error=repr(error))
                verdicts = {}
            frame = framed(packet)
            for line in lines:
                if self._judge.banned.intersection(line.filters):
                    line.close("filter_too_slow")
                elif _wants(line, verdicts):
                    line.send(frame, 1)
                    self._metrics.relayed.inc()

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            lines = [*self._gate.lines]
            for line in lines:
                line.tick(now_s)
            self._gate.count_receipts()
            self._metrics.backlog.set(max((line.backlog for line in lines), default=0))

    @property
    def ports(self) -> list[int]:
        """Ports that are listened on."""
        return [sock.getsockname()[1] for server in self._servers for sock in server.sockets]

    @property
    def subscribers(self) -> int:
        """Connections of subscribers."""
        return len(self._gate.lines)

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        for server in self._servers:
            server.close()
        for line in [*self._gate.lines]:
            line.close("stopping")
        await asyncio.to_thread(self._judge.close)


def _wants(line: SubscriberLine, verdicts: dict[str, bool | None]) -> bool:
    """Any filter that passes is enough, as in Comet; a filter that cannot be run passes nothing."""
    return any(verdicts.get(text) for text in line.filters)
