"""The nightly loop as Prometheus sees it: its files, read whenever they have changed.

The loop runs as a batch and is gone when Prometheus comes by; the worker of votes, which stays,
tells what the loop has written down (``books.py``), and what the lists of targets were like.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.classify.learning.nightly.books import Books, put
from shared.schemas.target import Target

TARGETS_FILE = "targets.json"
"""Beside the loop's files: how biased the newest lists of targets are."""
LOOPS = {"real": "learning", "simulated": "learning-simulated"}
"""Label of a loop, and its folder in the state directory."""
_ROLES = ("champion", "challenger", "refitted")
MEASURES = ("accuracy", "macro_f1", "log_loss", "ece")
_OF_A_NIGHT = {
    "alerts": "Objects that were answered for on the last night",
    "judged": "Answers of the last 60 nights whose labels have come",
    "lessons": "Labelled examples the challenger has been taught, all nights together",
}
log = structlog.get_logger()


def note_targets(folder: Path, targets: Sequence[Target], bias: Mapping[str, float]) -> None:
    """Write down how biased lists of targets are that were just published.

    Parameters
    ----------
    folder
        Where the loop remembers.
    targets
        All places of all facilities.
    bias
        ``bias_metrics`` of them; what is not a number is left out.
    """
    told = {
        "made_ms": max(one.made_ms for one in targets),
        "places": Counter(one.facility for one in targets),
        "bias": {name: value for name, value in bias.items() if isfinite(value)},
    }
    put(folder / TARGETS_FILE, json.dumps(told, indent=1).encode())


class LoopCollector(Collector):
    """Scores, drift, decisions and model ages of one loop.

    Parameters
    ----------
    folder
        Where the loop remembers; it need not exist yet.
    loop
        ``real`` or ``simulated``: a label of every series.
    """

    def __init__(self, folder: Path, loop: str) -> None:
        self._books, self._loop = Books(folder), loop
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._found: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Families of the loop's newest state; none before its first night."""
        try:
            changed = tuple(map(_state_of, self._files()))
            if changed != self._seen:
                self._found = [*self._of_nights(), *self._of_targets()]
                self._seen = changed
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("loop_not_read", folder=str(self._books.folder), error=repr(error)[:300])
        yield from self._found

    def _files(self) -> tuple[Path, ...]:
        folder = self._books.folder
        return folder / "journal.jsonl", folder / TARGETS_FILE

    def _of_nights(self) -> Iterator[Metric]:
        journal = self._books.journal()
        nights = [entry for entry in journal if entry["key"].endswith("/night")]
        if not nights:
            return
        last = nights[-1]
        yield self._number("nights", "Nights that the loop has closed", len(nights))
        yield self._number(
            "night_end_seconds", "Unix time at which the last closed night ended",
            last["as_of_ms"] / 1000.0,
        )  # fmt: skip
        for name, meaning in _OF_A_NIGHT.items():
            yield self._number(name, meaning, last[name])
        yield self._number(
            "objections", "Reasons of the last night not to promote", len(last["objections"])
        )
        drift = last["drift"]
        yield self._number(
            "drift_features", "Features whose distribution has changed",
            len(drift["features_in_alarm"]),
        )  # fmt: skip
        yield self._number(
            "drift_psi", "Greatest population stability index of a feature; 0.25 is a change",
            drift["greatest_psi"],
        )  # fmt: skip
        yield self._number(
            "drift_error_alarms", "Alarms of ADWIN on the answers of the last 60 nights",
            drift["error_alarms"],
        )  # fmt: skip
        yield self._decisions(journal, len(nights))
        yield self._scores(last["night"])
        yield self._ages(last)

    def _decisions(self, journal: list[dict[str, Any]], nights: int) -> Metric:
        promoted = sum("promoted" in entry for entry in journal)
        taken_back = sum(entry["key"].endswith("/rollback") for entry in journal)
        return self._family(
            "gate_decisions", "Nights by what the gate decided, and promotions taken back",
            "decision",
            {"promoted": promoted, "kept": max(nights - promoted, 0), "taken_back": taken_back},
        )  # fmt: skip

    def _scores(self, night: int) -> Metric:
        """What the answers of the last 60 nights were worth, each frozen before its label came."""
        scores = self._books.read("scores", night)
        family = GaugeMetricFamily(
            "tocsin_learning_score", "Delayed prequential scores of the last 60 nights",
            labels=("loop", "role", "measure"),
        )  # fmt: skip
        for role in _ROLES:
            for measure in MEASURES:
                if role in scores:
                    family.add_metric((self._loop, role, measure), scores[role][measure])
        return family

    def _ages(self, last: Mapping[str, Any]) -> Metric:
        """Nights since a model was last taught, counted to the last closed night."""
        ages = {}
        for role in _ROLES:
            if last.get(role) is not None:
                _, card = self._books.model(last[role])
                ages[role] = max(last["night"] - card["night"], 0)
        return self._family(
            "model_age_nights", "Nights since the model was last taught", "role", ages
        )

    def _of_targets(self) -> Iterator[Metric]:
        path = self._books.folder / TARGETS_FILE
        if not path.exists():
            return
        told = json.loads(path.read_text())
        yield self._number(
            "targets_made_seconds", "Unix time at which lists of targets were last made",
            told["made_ms"] / 1000.0,
        )  # fmt: skip
        yield self._family(
            "targets_places", "Places on the newest lists", "facility", told["places"]
        )
        yield self._family(
            "targets_bias", "How the newest lists differ from what they were chosen from",
            "measure",
            told["bias"],
        )  # fmt: skip

    def _number(self, name: str, meaning: str, value: float) -> Metric:
        family = GaugeMetricFamily(f"tocsin_learning_{name}", meaning, labels=("loop",))
        family.add_metric((self._loop,), value)
        return family

    def _family(
        self, name: str, meaning: str, label: str, values: Mapping[str, float]
    ) -> Metric:  # fmt: skip
        family = GaugeMetricFamily(f"tocsin_learning_{name}", meaning, labels=("loop", label))
        for one, value in values.items():
            family.add_metric((self._loop, one), value)
        return family


def _state_of(path: Path) -> tuple[int, int]:
    """What changes when a file is written anew; zeros while there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
