"""``tocsin models show``: a model's card: classes, features, training data, metrics, limits."""

from __future__ import annotations

import sys

from services.classify.model import CARD_FILE
from services.classify.model_registry import ModelShelf
from services.classify.verbs.choices import parser_of, say


def main(argv: list[str] | None = None) -> int:
    """Print ``model.json``."""
    parser = parser_of("show", __doc__ or "")
    parser.add_argument("model", nargs="?", help="first digits of its id (default: who answers)")
    chosen = parser.parse_args(argv)
    shelf = ModelShelf(chosen.models, chosen.classifier)
    try:
        folder = shelf.of(chosen.model) if chosen.model else shelf.current()
        sys.stdout.write((folder / CARD_FILE).read_text())
    except OSError as error:
        say(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
