"""``make bench``: the whole mesh on real packets, from cold, on this machine.

Servers and services start on empty topics; a generator then sends re-keyed real packets, and the
clock runs from its first packet to the last effect: archived in the database, kept as a raw
segment, weighed by every filter. Generator, broker and database share the machine and are counted.
`tocsin audit` must balance afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.everything import prepare
from bench.plot import draw
from bench.processes import environment
from bench.report import show
from bench.run import Plan, measure

BURST_ALERTS = 100_000
EXAMPLES = """\
Examples:
  python -m bench.mesh                                 20,000 alerts as fast as it goes
  python -m bench.mesh --fused --repeat 3              one process for four stages; median of three
  python -m bench.mesh --rate 333 --seconds 1800       LSST's rate for half an hour: ages, memory
  python -m bench.mesh --burst                         100,000 at once: drained and audited
  python -m bench.mesh --everything                    25 filters, ten catalogs, five sky maps
  python -m bench.mesh --json run.json --plot run.png  everything in a file, and drawn

Exit status: 0 if the audit balances and no process was started again, 1 if not.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark and print its tables; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.seconds and not arguments.rate > 0:
        parser.error("--seconds wants a --rate")
    if arguments.burst and (arguments.rate or arguments.preload):
        parser.error("--burst is as fast as it goes: without --rate and --preload")
    if arguments.repeat < 1:
        parser.error("--repeat wants 1 or more")
    os.environ.update(environment(arguments.state_dir, fused=arguments.fused))
    plan = _plan(arguments)
    if plan.everything:
        prepare(plan.state_dir)
    results = median([measure(plan) for _ in range(arguments.repeat)])
    show(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if arguments.plot:
        draw(results, arguments.plot)
    return 0 if results["all_balance"] else 1


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of the median rate (of an even number the slower one), beside what all runs gave."""
    ranked = sorted(runs, key=lambda run: float(run["alerts_per_s"]))
    return ranked[(len(ranked) - 1) // 2] | {
        "all_balance": all(run["audit"].get("balances") and not run["restarts"] for run in runs),
        "runs": [
            {
                "alerts_per_s": run["alerts_per_s"],
                "cpu_us_per_alert": sum(run["cpu_us_per_alert"].values()),
                "calibration_ms": run["machine"]["calibration_ms"],
                "load_before": run["machine"]["load_before"],
                "balances": run["audit"].get("balances", False),
                "restarts": run["restarts"],
            }
            for run in runs
        ],
    }


def _plan(arguments: argparse.Namespace) -> Plan:
    alerts = arguments.alerts or (BURST_ALERTS if arguments.burst else 20_000)
    if arguments.seconds:
        alerts = int(arguments.rate * arguments.seconds)
    return Plan(
        survey=arguments.survey,
        alerts=alerts,
        warm_up=arguments.warm_up,
        rate_hz=arguments.rate,
        preload=arguments.preload,
        fused=arguments.fused,
        everything=arguments.everything,
        compressed=arguments.compressed,
        state_dir=arguments.state_dir,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mesh",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--alerts", type=int, help="packets to send (20,000)")
    parser.add_argument(
        "--warm-up", type=int, default=6_000, help="packets before the clock starts (6,000)"
    )
    parser.add_argument("--survey", choices=("ztf", "lsst"), default="ztf")
    parser.add_argument("--rate", type=float, default=0.0, help="alerts/s; 0: as fast as it goes")
    parser.add_argument("--seconds", type=float, help="with --rate: how long, instead of --alerts")
    parser.add_argument("--burst", action="store_true", help="100,000 alerts as fast as it goes")
    parser.add_argument("--preload", action="store_true", help="fill the topic first, then start")
    parser.add_argument("--fused", action="store_true", help="ingest to mma in one process")
    parser.add_argument(
        "--everything",
        action="store_true",
        help="beside the shipped set 18 more filters, two catalogs of 5 M rows, five sky maps",
    )
    parser.add_argument(
        "--compressed", action="store_true", help="survey packets in lz4 batches: half the disk"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="report the median of N")
    parser.add_argument("--state-dir", type=Path, default=Path(".bench"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them here (PNG)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
