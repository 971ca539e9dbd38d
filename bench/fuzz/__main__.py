"""``python -m bench.fuzz``: hostile packets, many to a take as in the stream, through ingest."""

from __future__ import annotations

import argparse
import faulthandler
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from bench.fuzz.judge import Outcome, judged
from bench.fuzz.mutations import mutated
from bench.fuzz.seeds import Seed, seeds, taken_apart
from services.ingest.framing import SchemaBook
from services.ingest.warm_up import warm_up
from shared.errors import RejectedRecordError
from shared.packets.containers import write_varint

TAKE = 1000
SLOWEST_TAKE_S = 180.0
MOST_SEEDS = 1000
MOST_VALUES = 3000
"""Of a packet that is to be gone on from."""
EXAMPLES = """\
Examples:
  python -m bench.fuzz --inputs 1000000             a million packets
  python -m bench.fuzz --seed 7 --seconds 240       for four minutes
  python -m bench.fuzz --tally fuzz.json            add what came out to that of earlier runs

A crash ends the process and shows where; a take that takes too long is taken for a hang. The same
seed gives the same packets again. Exit status: 0 if every packet was accepted or refused with a
reason, 1 if not.
"""
_STANDARD_ERROR = 2
"""The file this process was born with, whatever took its place in `sys` since."""


class Fuzzer:
    """Packets to go on from, and what has come out so far."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.seeds, self.source = seeds()
        self.sound = _as_sent(self.seeds[0])
        self.seen: set[Outcome] = set()
        self.counts: Counter[str] = Counter()
        self.book = SchemaBook()
        self.inputs = 0

    def take(self) -> str:
        """One take; what is wrong, empty if nothing is."""
        rng, known = self.rng, self.seeds
        chosen = [known[int(rng.random() * len(known))] for _ in range(TAKE)]
        payloads = [mutated(seed, known, rng) for seed in chosen]
        neighbour = int(rng.random() * TAKE)
        payloads[neighbour] = self.sound
        faulthandler.dump_traceback_later(SLOWEST_TAKE_S, exit=True, file=_STANDARD_ERROR)
        verdict = judged(payloads, neighbour, self.book)
        faulthandler.cancel_dump_traceback_later()
        self.inputs += TAKE
        for row, outcome in verdict.outcomes.items():
            self.counts[outcome[1] if outcome[0] == "refused" else "accepted"] += 1
            if outcome not in self.seen:
                self.seen.add(outcome)
                self._go_on_from(payloads[row])
        return verdict.problem

    def _go_on_from(self, payload: bytes) -> None:
        """A packet that led somewhere new becomes a seed, if it can be taken apart."""
        if len(self.seeds) >= MOST_SEEDS or len(payload) > 200_000:
            return
        try:
            new = taken_apart(payload, MOST_VALUES)
        except (RejectedRecordError, ValueError, LookupError, TypeError, StopIteration,
                AttributeError, RecursionError):  # fmt: skip
            return
        if new.places:
            self.seeds.append(new)


def _as_sent(seed: Seed) -> bytes:
    if not seed.is_container:
        return seed.head + seed.record
    return seed.head + b"\x02" + write_varint(len(seed.record)) + seed.record + seed.sync


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit status."""
    arguments = _parser().parse_args(argv)
    faulthandler.enable(_STANDARD_ERROR)
    warm_up()
    fuzzer = Fuzzer(arguments.seed)
    began, cpu_began = time.monotonic(), time.process_time()
    problem, rss_mib = "", 0
    while fuzzer.inputs < arguments.inputs and time.monotonic() - began < arguments.seconds:
        problem = fuzzer.take()
        rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if rss_mib > arguments.rss_mib:
            problem = problem or f"{rss_mib} MiB of memory"
        if problem:
            break
    elapsed, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    print(f"{fuzzer.inputs:,} inputs from {fuzzer.source} in {elapsed:.0f} s "
          f"({fuzzer.inputs / cpu_s:,.0f} per CPU second), {len(fuzzer.seen):,} outcomes, "
          f"{len(fuzzer.seeds):,} seeds, at most {rss_mib} MiB, seed {arguments.seed}")  # fmt: skip
    if arguments.tally:
        _add_to(arguments.tally, fuzzer)
    for name, count in fuzzer.counts.most_common():
        print(f"  {count:>10,}  {name}")
    if problem:
        print(f"seed {arguments.seed}, input {fuzzer.inputs}: {problem}", file=sys.stderr)
    return 1 if problem else 0


def _add_to(file: Path, fuzzer: Fuzzer) -> None:
    """Add a run's counts to those of the runs before it."""
    tally: dict[str, Any] = {"inputs": 0, "outcomes": {}}
    if file.exists():
        tally = json.loads(file.read_text())
    tally["inputs"] += fuzzer.inputs
    counts: Counter[str] = Counter(tally["outcomes"])
    counts.update(fuzzer.counts)
    tally["outcomes"] = dict(counts.most_common())
    file.write_text(json.dumps(tally, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.fuzz", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rss-mib", type=int, default=1500, help="most memory, MiB")
    parser.add_argument("--tally", type=Path, metavar="FILE", help="sum over runs, JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
