"""``tocsin classify FILE --with NAME``: the options of the extras, and asking one of them."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from services.classify.light_curve_file import LightCurveFile
from services.classify.optional import EXTRAS
from services.classify.optional.asking import ask
from services.classify.optional.base import ExtraFailedError, ExtraRefusedError, Request

_MOST_SECONDS = 7 * 86_400.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--with`` and what goes with it."""
    group = parser.add_argument_group(
        "optional extras", "packages of others, which you install; docs/classifiers.md says how"
    )
    group.add_argument("--with", dest="extra", choices=tuple(EXTRAS), help="ask this one instead")
    group.add_argument("--model", help="its model: a file, or a name that the package knows")
    group.add_argument(
        "--python",
        type=Path,
        default=Path(sys.executable),
        metavar="PATH",
        help="the Python that has the package (default: the one that runs Tocsin)",
    )
    group.add_argument(
        "--seconds", type=float, default=600.0, help="for all objects together (default: 600)"
    )
    group.add_argument(
        "--passbands",
        type=Path,
        metavar="DIR",
        help="u.dat ... y.dat: wavelength in Angstrom, transmission (parsnip, mosfit)",
    )
    group.add_argument(
        "--trees", type=Path, metavar="DIR", help="parsnip: its classifier, written as text"
    )
    group.add_argument(
        "--zero-point",
        type=float,
        default=25.0,
        metavar="MAG",
        help="parsnip: AB zero point of the fluxes its model was trained on (default: 25)",
    )
    group.add_argument("--iterations", type=int, default=1000, help="mosfit: steps of the ensemble")
    group.add_argument("--walkers", type=int, default=50, help="mosfit: walkers of the ensemble")


def write_answers_of(chosen: argparse.Namespace, curves: LightCurveFile) -> int:
    """Ask the extra chosen and write its rows as CSV; 2 if refused, 1 if it failed."""
    for name, value in (("features", chosen.features), ("plot", chosen.plot),
                        ("classifier", chosen.classifier)):  # fmt: skip
        if value is not None:
            sys.stderr.write(f"--{name} is of Tocsin's own classifiers: leave --with away\n")
            return 2
    if not 1.0 <= chosen.seconds <= _MOST_SECONDS:
        sys.stderr.write(f"--seconds goes from 1 to {_MOST_SECONDS:.0f}\n")
        return 2
    request = Request(
        # Not resolved: an environment's python is a link, and knows its environment by its place.
        python=chosen.python.expanduser().absolute(),
        model=chosen.model,
        seconds=chosen.seconds,
        best_only=chosen.best,
        passbands=chosen.passbands,
        trees=chosen.trees,
        zero_point=chosen.zero_point,
        iterations=chosen.iterations,
        walkers=chosen.walkers,
    )
    try:
        columns, rows = ask(EXTRAS[chosen.extra], curves, request)
    except ExtraRefusedError as error:
        sys.stderr.write(f"{chosen.extra}: {error}\n")
        return 2
    except ExtraFailedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if chosen.out is None:
        count = write_rows(columns, rows, sys.stdout)
    else:
        with chosen.out.open("w", encoding="utf-8", newline="") as sink:
            count = write_rows(columns, rows, sink)
    sys.stderr.write(f"{len(curves)} objects, {count} lines from {chosen.extra}\n")
    return 0


def write_rows(columns: Sequence[str], rows: Iterator[tuple[Any, ...]], sink: TextIO) -> int:
    """Write answers as CSV under their heading; returns how many lines."""
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    return count
