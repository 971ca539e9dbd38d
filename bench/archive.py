"""CPU per alert of the archive: envelopes into a real database, packets into segments.

``python -m bench.archive [--json]``: starts a database of its own, with durable commits, and writes
to a temporary folder. Client is this process, server the database's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.archive.keep import DatabaseKeeper
from services.archive.metrics import ArchiveMetrics
from services.archive.packets import LogPolicy, PacketStore
from shared.archive.history import read_histories
from shared.archive.packets import packets_at
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Envelope, Packet, Record
from shared.local.database_server import LocalDatabase
from shared.local.server_process import free_port
from shared.settings import ServiceSettings
from shared.store import open_store
from shared.testing.batches import made_up_batch

ALERTS_PER_ENVELOPE = 100
ENVELOPES = 200
ENVELOPES_PER_TAKE = (1, 10)
PACKET_BYTES = 60_000
PACKETS = 10_000
PACKETS_PER_TAKE = 100
Row = dict[str, float | str]


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def envelopes() -> list[Envelope]:
    made = []
    for number in range(ENVELOPES):
        batch = made_up_batch(ALERTS_PER_ENVELOPE, seed=number, first_offset=number * 100)
        record = Record("bench", 0, number, 1, None, write_envelope(batch))
        made.append(Envelope(record, batch))
    return made


async def insert(uri: str, server: psutil.Process, per_take: int, made: list[Envelope]) -> Row:
    settings = ServiceSettings(database_uri=SecretStr(uri), database_name=f"bench_{per_take}")
    store = open_store(settings)
    keeper = DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))
    await store.prepare()
    alerts = ENVELOPES * ALERTS_PER_ENVELOPE
    client_s, server_s, started = time.process_time(), cpu_s(server), time.perf_counter()
    for start in range(0, ENVELOPES, per_take):
        await keeper.keep_envelopes(made[start : start + per_take])
    wall_s = time.perf_counter() - started
    row: Row = {
        "what": f"envelopes of {ALERTS_PER_ENVELOPE}, {per_take} per take",
        "alerts_per_s": alerts / wall_s,
        "client_us_per_alert": (time.process_time() - client_s) / alerts * 1e6,
        "server_us_per_alert": (cpu_s(server) - server_s) / alerts * 1e6,
    }
    started = time.perf_counter()
    names = [one.batch.strings("object_id")[0] for one in made[:50]]
    for name in names:
        await read_histories(store, name)
    row["find_object_ms"] = (time.perf_counter() - started) / len(names) * 1e3
    store.close()
    return row


def write_segments(folder: Path) -> Row:
    base = os.urandom(PACKET_BYTES)
    takes = [
        [
            Packet("bench", 0, offset, 0, None, offset.to_bytes(8, "big") + base[8:])
            for offset in range(start, start + PACKETS_PER_TAKE)
        ]
        for start in range(0, PACKETS, PACKETS_PER_TAKE)
    ]
    with PacketStore(folder, LogPolicy(sync="never")) as store:
        cpu, started = time.process_time(), time.perf_counter()
        for take in takes:
            store.append(take)
        wall_s = time.perf_counter() - started
        row: Row = {
            "what": f"packets of {PACKET_BYTES // 1000} KB, {PACKETS_PER_TAKE} per take",
            "alerts_per_s": PACKETS / wall_s,
            "client_us_per_alert": (time.process_time() - cpu) / PACKETS * 1e6,
            "server_us_per_alert": 0.0,
        }
    started = time.perf_counter()
    for offset in range(0, PACKETS, 100):
        if packets_at(folder, "bench", 0, offset) != [takes[offset // 100][offset % 100].value]:
            raise AssertionError(f"packet {offset} does not come back")
    row["find_packet_ms"] = (time.perf_counter() - started) / (PACKETS / 100) * 1e3
    return row


@contextmanager
def database(folder: Path) -> Iterator[LocalDatabase]:
    server = LocalDatabase(folder, free_port(), folder / "log", cache_mib=512)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    made = envelopes()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        with database(Path(name) / "database") as server:
            mark = server.process.mark()
            process = psutil.Process(mark.pid if mark else None)
            rows += [
                asyncio.run(insert(server.uri, process, per_take, made))
                for per_take in ENVELOPES_PER_TAKE
            ]
        rows.append(write_segments(Path(name) / "packets"))
    if arguments.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['what']:34s} {row['alerts_per_s']:8.0f} alerts/s   "
            f"client {row['client_us_per_alert']:5.1f} µs   "
            f"server {row['server_us_per_alert']:5.1f} µs   "
            + ", ".join(f"{k} {v:.2f}" for k, v in row.items() if k.startswith("find_"))
        )


if __name__ == "__main__":
    main()
