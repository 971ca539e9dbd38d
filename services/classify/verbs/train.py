"""``tocsin models train``: makes a model again from public data, and says how good it is.

Reads light_curves/ under the data folder, trains on some objects, calibrates and judges on others,
and writes model.npz and model.json to the shelf. The same data, seed and library versions give
the same model bit for bit. It answers only after `tocsin models promote`, or with --promote.

  tocsin models train transient --report report/
  tocsin models train kilonova --every 10       a quick trial on a tenth of the objects
  tocsin models train transient --also own_archive      with your own labelled light curves
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from services.classify.classifiers import CLASSIFIERS
from services.classify.figures.page import write_page
from services.classify.figures.quality import plot_confusion, plot_reliability, plot_roc
from services.classify.model import CARD_FILE
from services.classify.model_registry import ModelShelf
from services.classify.training.datasets import DATASETS
from services.classify.training.make import make_model
from services.classify.training.recipe import Trained
from services.classify.verbs.choices import parser_of, say


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
        sections.append((source, trained.metrics.get(source, {}), plots))
    rest = {k: v for k, v in trained.metrics.items() if k not in set(sources.tolist())}
    sections.append(("Further numbers", rest, []))
    return write_page(folder, f"{name}: objects kept apart", sections)


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
    parser.add_argument("--promote", action="store_true", help="let it answer, without the gate")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Train a model and print its metrics as JSON."""
    chosen = _parser().parse_args(argv)
    try:
        folder, trained = make_model(
            chosen.classifier,
            chosen.data,
            chosen.models,
            chosen.seed,
            chosen.every,
            say,
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
