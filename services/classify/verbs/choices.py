"""What the verbs about models share: their options, and how they speak."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from services.classify.classifiers import MODELS, TRAINED


def parser_of(verb: str, description: str, *, classifier: bool = True) -> argparse.ArgumentParser:
    """A parser with ``--models`` and, if asked, the classifier's name."""
    parser = argparse.ArgumentParser(
        prog=f"tocsin models {verb}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if classifier:
        parser.add_argument("classifier", choices=TRAINED, help="which classifier")
    parser.add_argument(
        "--models",
        type=Path,
        default=Path(os.environ.get("TOCSIN_CLASSIFY_MODELS", MODELS)),
        help="shelf of models (default: TOCSIN_CLASSIFY_MODELS, else those that come with Tocsin)",
    )
    return parser


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
