"""``tocsin classify FILE``: tries every model on any light curves, without a stream.

FILE is CSV or Parquet with columns object_id, mjd, band and flux, flux_err (difference flux, AB
nanojansky) or mag, mag_err; redshift (of the host), ra_deg and dec_deg may be added. The answer
has one line for each object, classifier and class; where a classifier abstains, one line that
says why.

  tocsin classify curves.csv -o classes.csv
  tocsin classify curves.parquet --best                 the most probable class only
  tocsin classify curves.csv --days 7                   as it was 7 days after the first detection
  tocsin classify stars.csv --total                     total magnitudes: subtract the median
  tocsin classify curves.csv --features features.csv --plot plots/
  tocsin classify curves.csv --with supernnova --model snn.pt --python snn/bin/python
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from services.classify.classifiers import MODELS, TRAINED, load_classifiers
from services.classify.classifiers.base import REASONS, Classifier, ModelClassifier
from services.classify.features import compute_features
from services.classify.features.fits import NAMES as FIT_NAMES
from services.classify.features.fits import fitted_features
from services.classify.light_curve_file import (
    LightCurveFile,
    LightCurveFileError,
    read_light_curves,
)
from services.classify.optional.base import CLASS_COLUMNS as COLUMNS
from services.classify.optional.command import add_options, write_answers_of, write_rows

BATCH = 500
MAX_PLOTS = 200


def answers(
    curves: LightCurveFile, classifiers: Sequence[Classifier], *, best_only: bool
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``COLUMNS``, object by object within each batch and classifier."""
    points = curves.curves.lengths
    for start in range(0, len(curves), BATCH):
        batch = curves.batch(start, start + BATCH)
        features = compute_features(batch)
        for classifier in classifiers:
            if not isinstance(classifier, ModelClassifier):
                continue
            answer = classifier.answer(batch, features)
            unknown = np.full(len(answer.rows), np.nan)
            if answer.model.unknown is not None:
                unknown = answer.model.unknown.probability(answer.rows, answer.of_light_curve)
            place = np.cumsum(answer.reasons.answered) - 1
            for k, code in enumerate(answer.reasons.codes.tolist()):
                head = (curves.object_id[start + k], classifier.name)
                tail = (int(points[start + k]), classifier.model.version, REASONS[code])
                if code:
                    yield (*head, "", "", "", *tail)
                    continue
                row = answer.probabilities[place[k]]
                doubt = "" if np.isnan(unknown[place[k]]) else f"{unknown[place[k]]:.4f}"
                for c in [int(row.argmax())] if best_only else range(len(row)):
                    yield (*head, classifier.model.classes[c], f"{row[c]:.6f}", doubt, *tail)


def write_features(
    curves: LightCurveFile,
    classifiers: Sequence[Classifier],
    path: Path,
    fits_budget_s: float | None = None,
) -> None:
    """Write all features, and what has no class: rates and anomaly; parametric fits if asked."""
    tables = []
    fits = None if fits_budget_s is None else fitted_features(curves.curves, fits_budget_s)
    for start in range(0, len(curves), BATCH):
        batch = curves.batch(start, start + BATCH)
        features = compute_features(batch)
        columns = {"object_id": batch.column("object_id")}
        columns |= {n: pa.array(v) for n, v in zip(features.names, features.values, strict=True)}
        if fits is not None:
            part = fits[:, start : start + BATCH]
            columns |= {n: pa.array(v) for n, v in zip(FIT_NAMES, part, strict=True)}
        for classifier in classifiers:
            if isinstance(classifier, ModelClassifier) or classifier.name == "real_bogus":
                continue
            struct = classifier.verdicts(batch, features)
            for k in range(struct.type.num_fields):
                if not pa.types.is_list(struct.type.field(k).type):
                    columns[f"{classifier.name}_{struct.type.field(k).name}"] = struct.field(k)
        tables.append(pa.table(columns))
    table = pa.concat_tables(tables)
    if path.suffix.lower() in {".parquet", ".pq"}:
        pq.write_table(table, path)
    else:
        pa_csv.write_csv(table, path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin classify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="light curves, CSV or Parquet")
    parser.add_argument("-o", "--out", type=Path, help="where to write (default: the terminal)")
    parser.add_argument("--best", action="store_true", help="the most probable class only")
    parser.add_argument("--classifier", choices=TRAINED, help="this one only")
    parser.add_argument("--days", type=float, help="as of so many days after the first S/N 5 point")
    parser.add_argument(
        "--total", action="store_true", help="fluxes are total: subtract each band's median"
    )
    parser.add_argument("--features", type=Path, metavar="OUT", help="write all features too")
    parser.add_argument(
        "--fits",
        type=float,
        metavar="SECONDS",
        help="with --features: Bazin, sigmoid and Villar fits too, for so many CPU seconds at most",
    )
    parser.add_argument("--plot", type=Path, metavar="DIR", help="a PNG for each object")
    parser.add_argument(
        "--models",
        type=Path,
        default=Path(os.environ.get("TOCSIN_CLASSIFY_MODELS", MODELS)),
        help="shelf of models (default: those that come with Tocsin)",
    )
    add_options(parser)
    return parser


def prepared(path: Path, *, total: bool, days: float | None) -> LightCurveFile:
    """A file, cut and shifted as asked."""
    curves = read_light_curves(path)
    if total:
        curves = curves.without_median()
    return curves if days is None else curves.as_of(days)


def main(argv: list[str] | None = None) -> int:
    """Classify a file of light curves."""
    chosen = _parser().parse_args(argv)
    try:
        curves = prepared(chosen.file, total=chosen.total, days=chosen.days)
        classifiers = () if chosen.extra else load_classifiers(chosen.models)
    except (LightCurveFileError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    wanted = [c for c in classifiers if chosen.classifier in {None, c.name}]
    try:
        if chosen.extra is not None:
            return write_answers_of(chosen, curves)
        write_all(curves, wanted, chosen)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
    except OSError as error:
        sys.stderr.write(f"cannot write: {error}\n")
        return 2
    return 0


def write_all(
    curves: LightCurveFile, wanted: Sequence[Classifier], chosen: argparse.Namespace
) -> None:
    """Write what was asked for; raises ``OSError`` where it cannot be written."""
    rows = answers(curves, wanted, best_only=chosen.best)
    if chosen.out is None:
        count, where = write_rows(COLUMNS, rows, sys.stdout), ""
    else:
        with chosen.out.open("w", encoding="utf-8", newline="") as sink:
            count, where = write_rows(COLUMNS, rows, sink), f", written to {chosen.out}"
    dropped = "".join(f", {n} points dropped: {why}" for why, n in curves.dropped.items())
    sys.stderr.write(f"{len(curves)} objects, {count} lines{where}{dropped}\n")
    if chosen.features is not None:
        write_features(curves, wanted, chosen.features, chosen.fits)
    if chosen.plot is not None:
        from services.classify.figures.light_curve import plot_objects  # noqa: PLC0415  # slow

        plotted = plot_objects(curves, wanted, chosen.plot, MAX_PLOTS)
        sys.stderr.write(f"{plotted} plots in {chosen.plot}\n")


if __name__ == "__main__":
    sys.exit(main())
