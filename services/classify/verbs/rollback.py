"""``tocsin models rollback``: lets the model before answer again."""

from __future__ import annotations

import sys

from services.classify.model_registry import ModelShelf
from services.classify.verbs.choices import parser_of, say


def main(argv: list[str] | None = None) -> int:
    """Roll back one promotion."""
    chosen = parser_of("rollback", __doc__ or "").parse_args(argv)
    try:
        model_id = ModelShelf(chosen.models, chosen.classifier).roll_back()
    except (OSError, ValueError) as error:
        say(str(error))
        return 2
    say(f"{chosen.classifier}: {model_id} answers from the next start of classify on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
