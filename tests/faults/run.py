"""``tocsin faults``: every fault, under load, on a mesh of its own; a table of what was lost.

examples:
  tocsin faults                          every fault once; about half an hour
  tocsin faults --only kill --times 3    those whose names begin with kill, three times each
  tocsin faults --seconds 60             what lasts (a frozen process, a server away) for a minute
  tocsin faults --list                   what there is
  tocsin faults --table a.json b.json    the table of what earlier runs wrote with --json

Each trial feeds packets, strikes somewhere in mid-stream, waits until the mesh has recovered and
audits it: every packet in every stage or among the dead letters, each effect at the edges exactly
once, every raw packet kept byte for byte. Recovery is counted from the end of the fault until
all that was sent up to a second later is delivered and archived. Exit status 1 if anything was
lost. Faults that want root (namespaces, mounts) are left out, with a word, where there is none.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from random import Random

from rich.console import Console

from tests.faults import FAULTS
from tests.faults.base import Fault, Scene
from tests.faults.grounds import GROUNDS, lacking
from tests.faults.table import Run, read, show, write
from tests.faults.trial import Outcome, carry_out
from tests.system.mesh import RunningMesh

screen = Console(stderr=True, highlight=False, soft_wrap=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.table:
        show([read(file) for file in arguments.table])
        return 0
    chosen = [
        fault
        for fault in FAULTS
        if not arguments.only or any(fault.name.startswith(word) for word in arguments.only)
    ]
    if arguments.list:
        for fault in chosen:
            screen.print(f"{fault.name:22} {fault.summary}")
        return 0
    if not chosen:
        screen.print(f"no fault is called {arguments.only}; tocsin faults --list names them")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the mesh goes down too
    said = sys.argv[1:] if argv is None else argv
    now = dt.datetime.now(dt.UTC)
    command = f"tocsin faults {shlex.join(_without_files(said))}"
    run = Run(command, f"{now:%Y-%m-%d %H:%M} UTC", arguments.seed)
    _carry_out_all(run, chosen, arguments)
    show([run])
    return 0 if all(outcome.verdict == "balances" for outcome in run.outcomes) else 1


def _without_files(words: Sequence[str]) -> list[str]:
    """The command line without where its outcomes went."""
    named = ("--json", "--logs")
    return [
        word
        for before, word in pairwise(["", *words])
        if before not in named and word.partition("=")[0] not in named
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin faults", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", action="append", metavar="NAME", help="names that begin so")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="trials of each (1)")
    parser.add_argument("--alerts", type=int, default=500, metavar="N", help="a trial (500)")
    parser.add_argument("--rate", type=float, default=120.0, metavar="R", help="alerts/s (120)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, metavar="S", help="how long what lasts lasts (20)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the random moments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes here too")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the services' logs here")
    parser.add_argument("--list", action="store_true", help="list the faults and leave")
    parser.add_argument("--table", nargs="+", type=Path, metavar="FILE", help="show earlier runs")
    return parser


def _carry_out_all(run: Run, chosen: Iterable[Fault], arguments: argparse.Namespace) -> None:
    """Carry out every trial, with one mesh for all faults that want the same."""
    for (ground, settings), faults in groupby(chosen, key=_kind_of_mesh):
        trials = [(fault, n) for fault in faults for n in range(arguments.times)]
        reason = lacking(ground)
        if reason is not None:
            run.left_out.update({fault.name: reason for fault, _ in trials})
            screen.print(f"left out: {', '.join({f.name: 0 for f, _ in trials})}: {reason}")
            continue
        while trials:
            try:
                _on_one_mesh(run, ground, dict(settings), trials, arguments)
            except Exception as error:  # noqa: BLE001  # one mesh must not take the rest with it
                fault, _ = trials.pop(0)
                words = f"{type(error).__name__}: {error}"
                screen.print(f"{fault.name}: [red]{words}")
                run.outcomes.append(Outcome(fault.name, complaints=[words]))


def _on_one_mesh(
    run: Run,
    ground: str,
    settings: Mapping[str, object],
    trials: list[tuple[Fault, int]],
    arguments: argparse.Namespace,
) -> None:
    """Trials one after the other, taken from the list; until one fails: the next wants anew."""
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-faults-") as folder,
        GROUNDS[ground](Path(folder), settings) as mesh,
    ):
        while trials:
            fault, number = trials[0]
            outcome = _attempt(fault, _scene(mesh, run, fault, number, arguments))
            trials.pop(0)
            run.outcomes.append(outcome)
            if arguments.json:  # after each trial: the whole takes an hour
                write(arguments.json, run)
            if arguments.logs:
                mesh.keep_logs(arguments.logs / f"{fault.name}-{number}")
            if outcome.verdict != "balances":
                return


def _scene(
    mesh: RunningMesh, run: Run, fault: Fault, number: int, arguments: argparse.Namespace
) -> Scene:
    return Scene(
        mesh, Random(f"{arguments.seed}/{fault.name}/{number}"), arguments.seconds,
        arguments.alerts, arguments.rate, 1000 * arguments.seed + len(run.outcomes) + 1,
    )  # fmt: skip


def _kind_of_mesh(fault: Fault) -> tuple[str, tuple[tuple[str, object], ...]]:
    settings: Mapping[str, object] = fault.mesh_settings
    return fault.ground, tuple(sorted(settings.items()))


def _attempt(fault: Fault, scene: Scene) -> Outcome:
    screen.print(f"{fault.name}: {fault.summary}")
    try:
        outcome = carry_out(fault, scene)
    except Exception as error:  # noqa: BLE001  # one failed trial must not hide the others
        outcome = Outcome(fault.name, complaints=[f"{type(error).__name__}: {error}"])
    took = "" if outcome.recovery_s is None else f", recovered in {outcome.recovery_s:.1f} s"
    screen.print(f"  {outcome.verdict}{took}")
    for complaint in outcome.complaints:
        screen.print(f"  [red]{complaint}", markup=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
