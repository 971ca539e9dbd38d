"""VTP fan-out: many subscribers, and one that is stuck: how late the others hear.

``python -m bench.vtp [--subscribers 1000] [--rate 100] [--seconds 20]``. The broker runs in a
process of its own, the subscribers in this one: sockets that read, acknowledge and note how old
each packet is. Kafka is not in it: a packet's age begins when the broker has it. The same is
measured without the stuck subscriber, so that what it costs the others is the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import selectors
import socket
import struct
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import uvloop

from services.distribute.deliver import outgoing_voevents
from services.distribute.voevents.packet import Author
from services.distribute.vtp.broker import Broker
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from shared.kafka.records import Record
from shared.local.server_process import free_port
from shared.testing.associations import association
from shared.vtp import framed, transport

MARK = b"<!--t="
RECEIPT = framed(transport("ack", "ivo://org.tocsin/broker", "ivo://org.example/bench"))


def packet() -> bytes:
    """A VOEvent as distribute writes it."""
    record = Record("associations", 0, 0, 1_795_305_601_000, None, association().to_json())
    return outgoing_voevents([record], Author("org.tocsin", "Bench"))[0].value


def serve(pipe: Connection, port: int, rate_hz: float, seconds: float) -> None:
    """The broker's process: listens, waits for the word, relays, tells its CPU time."""

    async def keep(*_: Any) -> None:
        return

    async def run() -> None:
        settings = VtpSettings(vtp_port=port, vtp_most_per_address=10_000)
        broker = Broker(settings, keep, VtpMetrics(settings))
        await broker.start()
        pipe.send("listening")
        await asyncio.to_thread(pipe.recv)
        content, begun_s, cpu_s = packet(), time.monotonic(), time.process_time()
        sent = 0
        while (elapsed := time.monotonic() - begun_s) < seconds:
            due = int(elapsed * rate_hz) - sent
            if due > 0:
                batch = [content + MARK + b"%020d-->" % time.monotonic_ns() for _ in range(due)]
                sent += due
                await broker.relay(batch)
            await asyncio.sleep(0.002)
        used_s = time.process_time() - cpu_s
        await asyncio.sleep(1.0)
        pipe.send((sent, used_s, broker.subscribers))
        await asyncio.to_thread(pipe.recv)
        await broker.stop()

    allow_sockets()
    uvloop.run(run())


def allow_sockets() -> None:
    """As many open sockets as this user may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Subscribers:
    """Sockets that listen; those of ``stuck`` never read."""

    def __init__(self, port: int, count: int, stuck: int) -> None:
        self.ages_s: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._buffers: dict[int, bytearray] = {}
        self.sockets = []
        for number in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            self.sockets.append(connection)
            if number < stuck:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                continue
            connection.setblocking(False)
            self._buffers[connection.fileno()] = bytearray()
            self._selector.register(connection, selectors.EVENT_READ)

    def listen(self, until_s: float) -> None:
        """Read and acknowledge until that time (monotonic)."""
        while time.monotonic() < until_s:
            for key, _ in self._selector.select(0.05):
                self._read(key.fileobj, self._buffers[key.fd])  # type: ignore[arg-type]  # sockets

    def _read(self, connection: socket.socket, buffer: bytearray) -> None:
        try:
            data = connection.recv(262_144)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            return
        now_ns = time.monotonic_ns()
        buffer += data
        heard = 0
        while len(buffer) >= 4:
            (length,) = struct.unpack_from(">i", buffer)
            if len(buffer) < 4 + length:
                break
            place = buffer.rfind(MARK, 0, 4 + length)
            if place > 0:
                sent_ns = int(buffer[place + len(MARK) : place + len(MARK) + 20])
                self.ages_s.append((now_ns - sent_ns) / 1e9)
                heard += 1
            del buffer[: 4 + length]
        if heard:
            connection.send(RECEIPT * heard)


def measure(subscribers: int, rate_hz: float, seconds: float, stuck: int) -> dict[str, Any]:
    """One run."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    port = free_port()
    process = context.Process(target=serve, args=(theirs, port, rate_hz, seconds))
    process.start()
    ours.recv()
    listeners = Subscribers(port, subscribers + stuck, stuck)
    listeners.listen(time.monotonic() + 1.0)
    ours.send("go")
    listeners.listen(time.monotonic() + seconds + 1.0)
    sent, cpu_s, left = ours.recv()
    ours.send("done")
    process.join(20)
    ages_ms = 1000 * np.array(listeners.ages_s)
    p50, p95, p99 = np.percentile(ages_ms, [50, 95, 99]) if len(ages_ms) else [np.nan] * 3
    return {
        "stuck": stuck,
        "packets": sent,
        "heard_share": round(len(ages_ms) / max(1, sent * subscribers), 4),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "p99_ms": round(float(p99), 1),
        "max_ms": round(float(ages_ms.max()), 1) if len(ages_ms) else None,
        "broker_cpu_us_per_delivery": round(1e6 * cpu_s / max(1, sent * subscribers), 2),
        "subscribers_at_end": left,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0, help="packets a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of the two runs")
    arguments = parser.parse_args()
    allow_sockets()
    print(json.dumps({"packet_bytes": len(packet()), "subscribers": arguments.subscribers}))
    for stuck in (0, 1):
        found = measure(arguments.subscribers, arguments.rate, arguments.seconds, stuck)
        print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
