"""``tocsin faults``: every fault, under load, on a mesh of its own; a table of what was lost.

examples:
  tocsin faults                          every fault once; about an hour
  tocsin faults --only kill --times 3    those whose names begin with kill, three times each
  tocsin faults --list                   what there is

Each trial feeds packets, strikes somewhere in mid-stream, waits until the mesh has recovered and
audits it: every packet in every stage or among the dead letters, each effect at the edges exactly
once, every raw packet kept byte for byte. Recovery is counted from the end of the fault until
all that was sent up to a second later is delivered and archived. Exit status 1 if anything was
lost.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from random import Random

from rich.console import Console

from tests.faults import FAULTS
from tests.faults.base import Fault, Scene
from tests.faults.cluster import mesh_for
from tests.faults.trial import Outcome, carry_out

screen = Console(stderr=True, highlight=False)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    chosen = [
        fault
        for fault in FAULTS
        if not arguments.only or any(fault.name.startswith(word) for word in arguments.only)
    ]
    if arguments.list:
        for fault in chosen:
            screen.print(f"{fault.name:18} {fault.summary}")
        return 0
    if not chosen:
        screen.print(f"no fault is called {arguments.only}; tocsin faults --list names them")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the mesh goes down too
    outcomes = run(chosen, arguments)
    show(outcomes)
    return 0 if all(outcome.verdict == "balances" for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin faults", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", action="append", metavar="NAME", help="names that begin so")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="trials of each (1)")
    parser.add_argument("--alerts", type=int, default=1500, metavar="N", help="a trial (1500)")
    parser.add_argument("--rate", type=float, default=100.0, metavar="R", help="alerts/s (100)")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="how long what lasts lasts (60)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random moments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes here too")
    parser.add_argument("--list", action="store_true", help="list the faults and leave")
    return parser


def run(chosen: Iterable[Fault], arguments: argparse.Namespace) -> list[Outcome]:
    """Carry out every trial, with one mesh for all faults that want the same."""
    outcomes = []
    random = Random(arguments.seed)
    seed = 1000 * arguments.seed
    for (brokers, settings), faults in groupby(chosen, key=_kind_of_mesh):
        with (
            tempfile.TemporaryDirectory(prefix="tocsin-faults-") as folder,
            mesh_for(Path(folder), brokers, dict(settings)) as mesh,
        ):
            for fault in (f for f in faults for _ in range(arguments.times)):
                seed += 1
                scene = Scene(
                    mesh, random, arguments.seconds, arguments.alerts, arguments.rate, seed
                )
                outcomes.append(_attempt(fault, scene))
                if arguments.json:  # after each trial: the whole takes an hour
                    write(arguments.json, arguments, outcomes)
    return outcomes


def write(file: Path, arguments: argparse.Namespace, outcomes: Iterable[Outcome]) -> None:
    """Everything that was found, as JSON."""
    asked = {name: value for name, value in vars(arguments).items() if name != "json"}
    found = [outcome.to_json() for outcome in outcomes]
    file.write_text(json.dumps({"asked": asked, "outcomes": found}, indent=2) + "\n")


def _kind_of_mesh(fault: Fault) -> tuple[int, tuple[tuple[str, object], ...]]:
    settings: Mapping[str, object] = fault.mesh_settings
    return fault.brokers, tuple(sorted(settings.items()))


def _attempt(fault: Fault, scene: Scene) -> Outcome:
    screen.print(f"{fault.name}: {fault.summary}")
    try:
        outcome = carry_out(fault, scene)
    except Exception as error:  # noqa: BLE001  # one failed trial must not hide the others
        outcome = Outcome(fault.name, complaints=[f"{type(error).__name__}: {error}"])
    took = "" if outcome.recovery_s is None else f", recovered in {outcome.recovery_s:.1f} s"
    screen.print(f"  {outcome.verdict}{took}")
    for complaint in outcome.complaints:
        screen.print(f"  [red]{complaint}")
    return outcome


def show(outcomes: Iterable[Outcome]) -> None:
    """The table, in Markdown, so that it can stand in docs/reliability.md as it is."""
    print("| fault | times | alerts | missing | repeated at edges | dead letters | restarts "
          "| recovery, s | verdict |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for name, group in groupby(outcomes, key=lambda outcome: outcome.fault):
        trials = list(group)
        times_s = [t.recovery_s for t in trials if t.recovery_s is not None]
        recovery = f"{min(times_s):.0f} to {max(times_s):.0f}" if times_s else "never"
        if len(times_s) == 1:
            recovery = f"{times_s[0]:.0f}"
        balanced = sum(t.verdict == "balances" for t in trials)
        verdict = "balances" if balanced == len(trials) else f"balances {balanced}/{len(trials)}"
        print(
            f"| {name} | {len(trials)} | {sum(t.alerts for t in trials):,} "
            f"| {sum(t.missing for t in trials)} | {sum(t.repeated_at_edges for t in trials)} "
            f"| {sum(t.dead_letters for t in trials):,} | {sum(t.restarts for t in trials)} "
            f"| {recovery} | {verdict} |"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
