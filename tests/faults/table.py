"""What came of trials: kept as JSON, shown as a Markdown table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.trial import Outcome

_HEAD = (
    "| fault | times | alerts | missing | repeated at edges | dead letters | restarts "
    "| recovery, s | verdict |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Run:
    """One run of the command."""

    command: str
    began: str
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Faults that could not be tried here, and why."""


def write(file: Path, run: Run) -> None:
    """Everything that was found, as JSON."""
    found = {**asdict(run), "outcomes": [outcome.to_json() for outcome in run.outcomes]}
    file.write_text(json.dumps(found, indent=2) + "\n")


def read(file: Path) -> Run:
    """What `write` wrote."""
    found = json.loads(file.read_text())
    outcomes = [
        Outcome(**{k: v for k, v in outcome.items() if k != "verdict"})
        for outcome in found.pop("outcomes")
    ]
    return Run(**found, outcomes=outcomes)


def show(runs: Sequence[Run]) -> None:
    """The table of all runs together, in Markdown, and below it where it comes from."""
    trials: dict[str, list[Outcome]] = {}
    for run in runs:
        for outcome in run.outcomes:
            trials.setdefault(outcome.fault, []).append(outcome)
    print(_HEAD)
    for name, outcomes in trials.items():
        print(_row(name, outcomes))
    print()
    for run in runs:
        print(f"`{run.command}`, {run.began}, seed {run.seed}.")
        for name, reason in run.left_out.items():
            print(f"Left out: {name} ({reason}).")
    sys.stdout.flush()


def _row(name: str, trials: Sequence[Outcome]) -> str:
    balanced = sum(trial.verdict == "balances" for trial in trials)
    verdict = "balances" if balanced == len(trials) else f"balances {balanced}/{len(trials)}"
    return (
        f"| {name} | {len(trials)} | {sum(t.alerts for t in trials):,} "
        f"| {sum(t.missing for t in trials)} | {sum(t.repeated_at_edges for t in trials)} "
        f"| {sum(t.dead_letters for t in trials):,} | {sum(t.restarts for t in trials)} "
        f"| {_times([t.recovery_s for t in trials])} | {verdict} |"
    )


def _times(recoveries_s: Iterable[float | None]) -> str:
    times_s = [round(t) for t in recoveries_s if t is not None]
    if not times_s:
        return "never"
    least, most = min(times_s), max(times_s)
    return f"{least}" if least == most else f"{least} to {most}"
