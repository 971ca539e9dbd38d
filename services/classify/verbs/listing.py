"""``tocsin models list``: every model of every classifier; the one that answers has a star."""

from __future__ import annotations

import json
import sys

from services.classify.classifiers import TRAINED
from services.classify.model import CARD_FILE
from services.classify.model_registry import ModelShelf
from services.classify.verbs.choices import parser_of


def main(argv: list[str] | None = None) -> int:
    """Print one line per model."""
    chosen = parser_of("list", __doc__ or "", classifier=False).parse_args(argv)
    sys.stdout.write(f"  {'classifier':14s} {'model':12s} {'features':>8s}  trained on\n")
    for name in TRAINED:
        shelf = ModelShelf(chosen.models, name)
        promoted = shelf.promoted()
        for folder in shelf.all():
            card = json.loads((folder / CARD_FILE).read_text())
            star = "*" if promoted and promoted[-1] == folder.name else " "
            version = f"v{card['feature_version']}"
            datasets = ", ".join(card["trained_on"]["datasets"])
            sys.stdout.write(f"{star} {name:14s} {folder.name} {version:>8s}  {datasets}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
