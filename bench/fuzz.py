"""Hostile bytes for the decoders: every input is accepted or refused with a reason.

``python -m bench.fuzz [--inputs N] [--seed S] [--rss-mib M]`` mutates the real packets of
TOCSIN_DATA (bits, truncation, splices, huge numbers, text of the header) and runs them through
``normalise``, many to a take as in the stream. Exits 1 if anything but a refusal comes out, if a
packet is not accounted for, if its sound neighbours are lost, or if a limit is broken. A crash
ends the process; the same seed gives the same inputs again.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from services.ingest.avro import decode
from services.ingest.avro import instructions as op
from services.ingest.framing import Framed, SchemaBook
from services.ingest.normalise import normalise
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.records import Packet
from shared.packets.containers import read_header, write_varint

TAKE = 100
SLOWEST_TAKE_S = 20.0
AIMED_BYTES = 6000
"""Of a record: what comes before the cutouts."""
LARGE_NUMBERS = [write_varint(n) for n in (-1, 2**31, -(2**31), 2**40, 2**62, -(2**63), 10**5)]
SPLICES = [
    *LARGE_NUMBERS,
    b"",
    b"\x00",
    b"\x01",
    b"\x02",
    b"\x7f",
    b"\x80",
    b"\xff" * 9,
    b"\x04\x02",
]
WORDS = [b'"null"', b'"long"', b'"string"', b'"double"', b'"array"', b'"record"', b'"int"',
         b'"float"', b'"bytes"', b'"boolean"', b'"map"', b'"enum"', b'"fixed"']  # fmt: skip


def real_packets() -> list[bytes]:
    """Small ones of both surveys, cutouts off where their size is what takes the time."""
    data = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    packets = []
    with tarfile.open(data / "ztf" / "pittgoogle_84.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".avro") else None
            if file is not None:
                packets.append(file.read())
    packets += [path.read_bytes() for path in sorted((data / "lsst").rglob("*.bin"))]
    return packets


def mutated(packet: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """One hostile version of a packet."""
    kind = rng.randrange(8)
    at = rng.randrange(len(packet))
    # Most of a packet is header (judged once) and cutouts (skipped): aim at what is decoded.
    if packet.startswith(b"Obj") and rng.random() < 0.8:
        start = read_header(packet).length
        at = min(start + int(rng.expovariate(1 / 1500)), len(packet) - 1)
    if kind == 0:
        return packet[:at]
    if kind == 1:
        other = rng.choice(others)
        return packet[:at] + other[rng.randrange(len(other)) :]
    if kind == 2:
        return packet[:at] + rng.choice(LARGE_NUMBERS) + packet[at + rng.randrange(3) :]
    if kind == 3:
        return packet[:at] + rng.randbytes(rng.randrange(1, 40)) + packet[at:]
    if kind == 4 and packet.startswith(b"Obj"):
        length = read_header(packet).length
        header, word = packet[:length], rng.choice(WORDS)
        return header.replace(word, rng.choice(WORDS), rng.randrange(1, 4)) + packet[length:]
    changed = bytearray(packet)
    for _ in range(rng.randrange(1, 6)):
        changed[min(at + rng.randrange(60), len(packet) - 1)] = rng.choice(
            (rng.randrange(256), 0, 1, 2, 0x7F, 0x80, 0xFF)
        )
    return bytes(changed)


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=1_000_000, help="for the decoder alone")
    parser.add_argument("--rss-mib", type=int, default=1500, help="most memory, MiB")
    arguments = parser.parse_args()
    rng, sound = random.Random(arguments.seed), real_packets()
    if not sound:
        print("no packets: set TOCSIN_DATA", file=sys.stderr)
        return 2
    print(records_alone(sound, arguments.records, rng))
    counts: Counter[str] = Counter()
    book, done, began = SchemaBook(), 0, time.monotonic()
    while done < arguments.inputs:
        payloads = [mutated(rng.choice(sound), sound, rng) for _ in range(TAKE - 1)]
        neighbour = rng.randrange(TAKE)
        payloads.insert(neighbour, sound[0])
        problem = carried_out(payloads, neighbour, book, counts)
        done += TAKE
        rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if problem or rss_mib > arguments.rss_mib:
            print(f"seed {arguments.seed}, input {done}: {problem or f'{rss_mib} MiB'}")
            return 1
    print(f"{done:,} inputs in {time.monotonic() - began:.0f} s, at most {rss_mib} MiB, seed "
          f"{arguments.seed}: {counts.most_common()}")  # fmt: skip
    return 0


def records_alone(packets: list[bytes], inputs: int, rng: random.Random) -> str:
    """Mutated records, their framing left whole, through the compiled decoder; how it went."""
    began, book, counts, done = time.monotonic(), SchemaBook(), Counter[int](), 0
    by_program: dict[int, list[Framed]] = {}
    for framed in map(book.frame, packets):
        by_program.setdefault(id(framed.writer), []).append(framed)
    while done < inputs:
        framed_ones = rng.choice(list(by_program.values()))
        program = framed_ones[0].writer.program
        if program is None:
            continue
        records = []
        for _ in range(10 * TAKE):
            one = rng.choice(framed_ones)
            record = bytearray(one.payload[one.start : one.end])
            for _ in range(rng.randrange(1, 5)):
                at = rng.randrange(min(len(record), AIMED_BYTES))
                record[at : at + rng.randrange(2)] = rng.choice(SPLICES)
            records.append(bytes(record))
        ends = np.array([len(record) for record in records], np.int64)
        found = decode(program, records, np.zeros(len(records), np.int64), ends)
        counts.update(found.faults.tolist())
        done += len(records)
    names = {op.FAULTS[k][1] if k in op.FAULTS else "accepted": n for k, n in counts.items()}
    return f"{done:,} records in {time.monotonic() - began:.0f} s: {names}"


def carried_out(
    payloads: list[bytes], neighbour: int, book: SchemaBook, counts: Counter[str]
) -> str:
    """Run one take; what is wrong with it, empty if nothing is."""
    packets = [Packet("fuzz", 0, k, 0, None, payload) for k, payload in enumerate(payloads)]
    started = time.monotonic()
    result = normalise(packets, book, None, 0)
    if time.monotonic() - started > SLOWEST_TAKE_S:
        return "a take took too long"
    known = [row for one in result.batches for row in one.packets.tolist()]
    counts["accepted"] += len(known)
    counts.update(refused.reason for refused in result.refused)
    if sorted(known + [refused.packet for refused in result.refused]) != list(range(len(packets))):
        return "a packet is not accounted for, or twice"
    for one in result.batches:
        read_envelope(write_envelope(one.batch))
    return "" if neighbour in known else "a sound neighbour was lost"


if __name__ == "__main__":
    sys.exit(main())
