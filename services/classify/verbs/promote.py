"""``tocsin models promote``: lets a model answer, if it is not worse than the one that does.

The gate compares both cards on the objects kept apart: log-loss must not grow, macro-F1 not fall
by more than 0.005, no class of 30 objects lose more than 0.03 of its recall, the calibration
error not exceed 0.03 unless the champion's does. --force promotes all the same.

  tocsin models promote transient 3f2a
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from services.classify.classifiers import CLASSIFIERS, load_classifier
from services.classify.features import VERSION
from services.classify.model import CARD_FILE, load_model
from services.classify.model_registry import ModelShelf
from services.classify.promotion import objections
from services.classify.verbs.choices import parser_of, say


def card_of(folder: Path) -> dict[str, Any]:
    """A model's card."""
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text())
    return card


def main(argv: list[str] | None = None) -> int:
    """Promote a model; 1 if the gate refuses."""
    parser = parser_of("promote", __doc__ or "")
    parser.add_argument("model", help="first digits of its id")
    parser.add_argument("--force", action="store_true", help="promote whatever the gate says")
    chosen = parser.parse_args(argv)
    shelf = ModelShelf(chosen.models, chosen.classifier)
    try:
        folder = shelf.of(chosen.model)
        if chosen.classifier in CLASSIFIERS:
            load_classifier(chosen.classifier, folder)
        else:
            load_model(folder, VERSION)
        champion = card_of(shelf.current()) if shelf.promoted() else None
        found = objections(card_of(folder), champion)
        for objection in found:
            say(objection)
        if found and not chosen.force:
            say(f"{folder.name} is not promoted; --force promotes it all the same")
            return 1
        shelf.promote(folder.name)
    except (OSError, ValueError) as error:
        say(str(error))
        return 2
    say(f"{chosen.classifier}: {folder.name} answers from the next start of classify on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
