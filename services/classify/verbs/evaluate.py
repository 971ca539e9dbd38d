"""``tocsin models evaluate``: how good the classifiers are on labelled light curves of yours.

FILE is as for `tocsin classify`, with a column label, or with --labels: a CSV of object_id and
label. Labels are the classifiers' class names ("SN Ia", "SN II", ...), or begin like a spectral
type ("Ia", "II P", "Ic BL"); what is in no taxonomy counts as none of the classes.

  tocsin models evaluate curves.csv --labels labels.csv --report report/
  tocsin models evaluate curves.csv --classifier transient --days 3,7,14
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from services.classify.classifiers import CLASSIFIERS, load_classifier
from services.classify.classifiers.base import ModelClassifier
from services.classify.evaluation import Judged, judge, labelled, measures, read_labels
from services.classify.figures.page import write_page
from services.classify.figures.quality import (
    plot_against_days,
    plot_confusion,
    plot_reliability,
    plot_roc,
)
from services.classify.light_curve_file import (
    LightCurveFile,
    LightCurveFileError,
    read_light_curves,
)
from services.classify.model_registry import ModelShelf
from services.classify.verbs.choices import parser_of, say


def _days(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part]


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("evaluate", __doc__ or "", classifier=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="light curves, CSV or Parquet")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="CSV: object_id, label")
    parser.add_argument("--classifier", choices=list(CLASSIFIERS), help="this one only")
    parser.add_argument("--model", help="first digits of a model's id (default: who answers)")
    parser.add_argument(
        "--days",
        type=_days,
        default=[],
        metavar="D,D",
        help="judge also as of so many days after the first S/N 5 point",
    )
    parser.add_argument(
        "--total", action="store_true", help="fluxes are total: subtract each band's median"
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="write plots and a page")
    return parser


def evaluate(
    curves: LightCurveFile, label: list[str], classifier: ModelClassifier, days: list[float]
) -> tuple[dict[str, Any], Judged]:
    """Numbers of one classifier, whole and as of some days; and the whole curves' judgement."""
    judged = judge(curves, label, classifier)
    numbers = measures(judged)
    by_days = {f"{d:g}": measures(judge(curves.as_of(d), label, classifier)) for d in days}
    if by_days:
        numbers["as_of_days"] = {**by_days, "all": dict(numbers)}
    return numbers, judged


def _report(name: str, numbers: dict[str, Any], judged: Judged, folder: Path) -> list[str]:
    plots = [f"{name}_{kind}.png" for kind in ("confusion", "roc", "reliability")]
    folder.mkdir(parents=True, exist_ok=True)
    in_taxonomy = judged.label >= 0
    label, probabilities = judged.label[in_taxonomy], judged.probabilities[in_taxonomy]
    if len(label) == 0:
        return []
    plot_confusion(label, probabilities, judged.classes, folder / plots[0])
    plot_roc(judged.label, judged.probabilities, judged.classes, folder / plots[1])
    plot_reliability(label, probabilities, folder / plots[2])
    if "as_of_days" in numbers:
        first = judged.classes[0]
        by_days = {
            days: found["one_against_rest"].get(first, {})
            for days, found in numbers["as_of_days"].items()
            if "one_against_rest" in found
        }
        plots.append(f"{name}_days.png")
        plot_against_days(by_days, first, folder / plots[-1])
    return plots


def main(argv: list[str] | None = None) -> int:
    """Judge classifiers on a file and print the numbers as JSON."""
    chosen = _parser().parse_args(argv)
    try:
        curves = read_light_curves(chosen.file)
        curves = curves.without_median() if chosen.total else curves
        label = labelled(curves, read_labels(chosen.labels) if chosen.labels else None)
        names = [chosen.classifier] if chosen.classifier else list(CLASSIFIERS)
        result, sections = {}, []
        for name in names:
            shelf = ModelShelf(chosen.models, name)
            folder = shelf.of(chosen.model) if chosen.model else shelf.current()
            numbers, judged = evaluate(curves, label, load_classifier(name, folder), chosen.days)
            result[name] = numbers
            if chosen.report is not None:
                plots = _report(name, numbers, judged, chosen.report)
                sections.append((name, numbers, plots))
    except (LightCurveFileError, OSError, ValueError) as error:
        say(str(error))
        return 2
    if chosen.report is not None:
        points = len(curves.curves.mjd_tai)
        title = f"{chosen.file.name}: {len(curves)} objects, {points} points"
        say(f"report: {write_page(chosen.report, title, sections)}")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
