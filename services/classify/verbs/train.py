"""``tocsin models train``: makes a model again from public data, and says how good it is.

Reads light_curves/ under the data folder, trains on some objects, calibrates and judges on others,
and writes model.npz and model.json to the shelf. The same data, seed and library versions give
the same model bit for bit; --check makes the model that answers once more and compares (exit 1 if
it differs). A new one answers only after `tocsin models promote`, or with --promote.

  tocsin models train transient --report report/
  tocsin models train kilonova --every 10       a quick trial on a tenth of the objects
  tocsin models train transient --check         is the model that answers what the data make of it?
  tocsin models train transient --also own_archive      with your own labelled light curves
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.classify.classifiers import CLASSIFIERS
from services.classify.evaluation import against_rest
from services.classify.figures.page import write_page
from services.classify.figures.quality import (
    plot_against_days,
    plot_confusion,
    plot_reliability,
    plot_roc,
)
from services.classify.model import CARD_FILE
from services.classify.model_registry import ModelShelf
from services.classify.training.datasets import DATASETS
from services.classify.training.make import make_model
from services.classify.training.recipe import Trained
from services.classify.verbs.choices import parser_of, say
from services.classify.verbs.progress import progress, steps_of
from services.classify.verbs.rebuilding import rebuild_and_compare

_AGE = "days_since_first_detection"
_DAYS = (3.0, 7.0, 14.0, 21.0, 30.0)
_LEAST_EXAMPLES = 30


def write_report(name: str, trained: Trained, folder: Path) -> Path:
    """Plots and numbers of the objects that were kept apart; returns the page."""
    classes, sources = CLASSIFIERS[name].taxonomy, trained.held_out.source
    sections = []
    for source in sorted(set(sources.tolist())):
        here = sources == source
        label, probabilities = trained.held_out.label[here], trained.probabilities[here]
        stem = f"{name}_{source.replace(':', '_')}"
        plots = [f"{stem}_{kind}.png" for kind in ("confusion", "roc", "reliability")]
        plot_confusion(label, probabilities, classes, folder / plots[0])
        plot_roc(label, probabilities, classes, folder / plots[1])
        plot_reliability(label, probabilities, folder / plots[2])
        ages = by_days(name, trained, here)
        if ages:
            plots.append(f"{stem}_days.png")
            plot_against_days(ages, classes[0], folder / plots[-1])
        sections.append((source, trained.metrics.get(source, {}), plots))
    rest = {k: v for k, v in trained.metrics.items() if k not in set(sources.tolist())}
    sections.append(("Further numbers", rest, []))
    return write_page(folder, f"{name}: objects kept apart", sections)


def by_days(
    name: str, trained: Trained, here: npt.NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    """AUC, purity and efficiency of the first class, where it is the most probable.

    By days since the first detection of the history, each key the end of an interval that begins
    at the one before. Empty where the classifier knows no age.
    """
    features = CLASSIFIERS[name].features
    if _AGE not in features:
        return {}
    age = trained.held_out.rows[here, features.index(_AGE)]
    truth = trained.held_out.label[here] == 0
    probabilities = trained.probabilities[here]
    found: dict[str, dict[str, float]] = {}
    for start, end in pairwise((-1.0, *_DAYS)):
        young = (age > start) & (age <= end)
        numbers = against_rest(truth[young], probabilities[young], 0)
        if young.sum() >= _LEAST_EXAMPLES and numbers is not None:
            found[f"{end:g}"] = numbers
    return found


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("train", __doc__ or "")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("TOCSIN_DATA", "../shared/data")),
        help="folder that holds light_curves/ (default: TOCSIN_DATA)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of cuts, noise and trees")
    parser.add_argument(
        "--every", type=int, default=1, help="use every n-th object only: a quick trial"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        choices=list(DATASETS),
        metavar="DATASET",
        help=f"train on this data set besides the recipe's: {', '.join(DATASETS)}",
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="write plots and a page")
    parser.add_argument(
        "--check",
        action="store_true",
        help="make the model that answers again and compare bit for bit; the shelf stays as it is",
    )
    parser.add_argument("--promote", action="store_true", help="let it answer, without the gate")
    return parser


def _check(shelf: ModelShelf, data: Path, step: Callable[[str], None]) -> int:
    identical, findings = rebuild_and_compare(shelf, data, step)
    sys.stdout.write("".join(f"{line}\n" for line in findings))
    sys.stdout.write("identical, bit for bit\n" if identical else "not identical\n")
    return 0 if identical else 1


def main(argv: list[str] | None = None) -> int:
    """Train a model and print its metrics as JSON."""
    chosen = _parser().parse_args(argv)
    steps = steps_of(chosen.classifier, len(chosen.also))
    try:
        with progress(f"training {chosen.classifier}", steps) as step:
            if chosen.check:
                return _check(ModelShelf(chosen.models, chosen.classifier), chosen.data, step)
            folder, trained = make_model(
                chosen.classifier,
                chosen.data,
                chosen.models,
                chosen.seed,
                chosen.every,
                step,
                chosen.also,
            )
    except (OSError, ValueError) as error:
        say(str(error))
        return 2
    if chosen.report is not None and trained is not None:
        say(f"report: {write_report(chosen.classifier, trained, chosen.report)}")
    if chosen.promote:
        ModelShelf(chosen.models, chosen.classifier).promote(folder.name)
        say(f"{folder.name} answers from the next start of classify on")
    metrics = json.loads((folder / CARD_FILE).read_text())["metrics"]
    sys.stdout.write(json.dumps(metrics, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
