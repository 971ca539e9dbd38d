"""What the verbs about learning share: options, tables, files of results."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def parser_of(verb: str, description: str, *, group: str = "learn") -> argparse.ArgumentParser:
    """A parser of ``tocsin <group> <verb>``."""
    return argparse.ArgumentParser(
        prog=f"tocsin {group} {verb}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """The option ``--data``."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("TOCSIN_DATA", "../shared/data")),
        help="folder that holds light_curves/ (default: TOCSIN_DATA)",
    )


def add_runs(parser: argparse.ArgumentParser, output: str) -> None:
    """The options ``--seeds`` and ``--output``."""
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 to N-1 (1)")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(output), metavar="DIR",
        help=f"where the plot and results.json go ({output})",
    )  # fmt: skip


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """A Markdown table on standard output."""
    cells = [[_shown(row.get(name)) for name in columns] for row in rows]
    widths = [max([len(name), *(len(c[k]) for c in cells)]) for k, name in enumerate(columns)]
    for line in (list(columns), ["-" * width for width in widths], *cells):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("| " + " | ".join(padded) + " |\n")
    sys.stdout.flush()


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3f}"  # noqa: PLR0124  # NaN
    return str(value)


def write_results(folder: Path, rows: Sequence[Row]) -> None:
    """``results.json`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(list(rows), indent=1, allow_nan=True)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
