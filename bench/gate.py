"""The regression gate: CPU per alert of every stage's hot path, against committed figures.

Figures are CPU-µs per alert divided by the milliseconds of a calibration loop that runs right
before, so that a slower machine or a busy neighbour raises both. A stage fails at two and a half
times its committed figure: wide enough for any machine, narrow enough for a copy per alert.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.machine import calibration_ms, environment

ALERTS = 400
LIMIT = 2.5
ROUNDS = 7
REFERENCE = Path(__file__).with_name("reference.json")
_LEAST_S = 0.03
_ENVELOPE_ROWS = 200
_SKY_MAPS = 5
Work = Callable[[], object]
EXAMPLES = """\
Examples:
  python -m bench.gate            measure and judge
  python -m bench.gate --write    take today's figures for the reference; say why

Exit status: 0 if no stage is slower than allowed, 1 if one is.
"""


def stages() -> dict[str, Work]:
    """The hot path of each stage on 400 simulated alerts, each on what the one before gave.

    Only mma's are alerts of their own, in the windows of five active sky maps.
    """
    # ruff: noqa: PLC0415 - each of these loads a library that --help does not need
    from bench.correlate import batches, gw_notices
    from bench.workload import simulated
    from services.archive.store import envelope_document
    from services.classify.classifiers import load_classifiers
    from services.classify.classify import classify
    from services.distribute.deliver import outgoing_alerts
    from services.distribute.settings import DistributeSettings
    from services.ingest.framing import SchemaBook
    from services.ingest.normalise import normalise
    from services.mma.correlate import correlate
    from services.mma.event_store import EventStore
    from services.xmatch.catalog_store import open_catalogs
    from services.xmatch.crossmatch import crossmatch
    from services.xmatch.describe import describe
    from services.xmatch.settings import XmatchSettings
    from services.xmatch.surroundings import surroundings_of
    from shared.filters.engine import FilterEngine
    from shared.filters.user_filter import read_filters
    from shared.kafka.envelopes import read_envelope, write_envelope
    from shared.kafka.records import Envelope, Packet, Record

    book = SchemaBook()
    payloads = simulated("ztf", ALERTS)
    packets = [Packet("gate", 0, k, 0, None, p) for k, p in enumerate(payloads)]
    batch = normalise(packets, book, None, 0).batches[0].batch
    catalogs = open_catalogs(["openngc"], XmatchSettings().catalog_folder())
    around = surroundings_of(catalogs)
    matched = describe(crossmatch(batch, catalogs, 5), around)
    classifiers = load_classifiers()
    classified = classify(matched, classifiers)
    events = EventStore()
    for notice in gw_notices(_SKY_MAPS):
        events.add(notice)
    active = events.snapshot()
    in_window = batches(ALERTS // 100, 100)
    correlated = correlate(classified, active, 0.95).batch
    halves = [correlated.slice(k, _ENVELOPE_ROWS) for k in range(0, ALERTS, _ENVELOPE_ROWS)]
    sent = [write_envelope(half) for half in halves]
    envelopes = [
        Envelope(Record("gate", 0, k, 0, None, message), half)
        for k, (message, half) in enumerate(zip(sent, halves, strict=True))
    ]
    engine = FilterEngine(read_filters(DistributeSettings().filters_file))
    return {
        "ingest": lambda: normalise(packets, book, None, 0),
        "xmatch": lambda: describe(crossmatch(batch, catalogs, 5), around),
        "classify": lambda: classify(matched, classifiers),
        "mma": lambda: [correlate(one, active, 0.95) for one in in_window],
        "distribute": lambda: outgoing_alerts(engine, envelopes, "gate."),
        "archive": lambda: [envelope_document(envelope) for envelope in envelopes],
        "envelopes": lambda: [write_envelope(read_envelope(message)) for message in sent],
    }


def figures(works: Mapping[str, Work], rounds: int = ROUNDS) -> dict[str, float]:
    """Median over ``rounds`` of CPU-µs per alert and calibration millisecond, by stage.

    Stages take turns, so that a busy spell of the machine meets all of them.
    """
    seen: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            worth = calibration_ms()
            calls, began = 0, time.process_time()
            while time.process_time() - began < _LEAST_S:
                work()
                calls += 1
            seen[name].append(1e6 * (time.process_time() - began) / calls / ALERTS / worth)
    return {name: statistics.median(values) for name, values in seen.items()}


def failures(
    measured: Mapping[str, float], reference: Mapping[str, float], limit: float = LIMIT
) -> list[str]:
    """What is slower than allowed, in words; a stage without a committed figure fails too."""
    found = []
    for name, figure in measured.items():
        if name not in reference:
            found.append(f"{name}: no committed figure; python -m bench.gate --write")
        elif figure > limit * reference[name]:
            found.append(
                f"{name}: {figure:.2f} CPU-µs per alert and calibration ms, "
                f"{figure / reference[name]:.1f} times the committed {reference[name]:.2f} "
                f"(limit {limit:g} times)"
            )
    return found


def committed() -> dict[str, float]:
    """The reference, by stage."""
    reference: dict[str, Any] = json.loads(REFERENCE.read_text())
    return dict(reference["stages"])


def main(argv: list[str] | None = None) -> int:
    """Measure and judge, or write the reference; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gate", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="make today's figures the reference")
    arguments = parser.parse_args(argv)
    machine = environment()
    measured = figures(stages())
    if arguments.write:
        about = "CPU-µs per alert divided by the calibration loop's ms; see bench/gate.py"
        on = {key: machine[key] for key in ("cpu", "cores", "python", "load_before")}
        rounded = {name: round(figure, 3) for name, figure in measured.items()}
        content = {"about": about, "measured_on": on, "stages": rounded}
        REFERENCE.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    reference = committed()
    print(f"{'CPU-µs per alert and calibration ms':38}{'now':>8}{'committed':>11}")
    for name, figure in measured.items():
        print(f"{name:38}{figure:8.2f}{reference.get(name, float('nan')):11.2f}")
    slower = failures(measured, reference)
    print("\n".join(slower) or "no stage is slower than allowed")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
