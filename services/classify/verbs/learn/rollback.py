"""``tocsin learn rollback``: let the model before answer again, and say so in the audit.

tocsin learn rollback
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pydantic import ValidationError

from services.classify.learning.nightly.books import Books
from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, say


def main(argv: list[str] | None = None) -> int:
    """Take the last promotion back."""
    parser = parser_of("rollback", __doc__ or "")
    parser.add_argument("--state", type=Path, metavar="DIR", help="where the loop remembers")
    chosen = parser.parse_args(argv)
    try:
        books = Books(chosen.state or ClassifySettings().state_dir / "learning")
        before = books.champion
        now = books.shelf.roll_back()
    except (OSError, ValueError, ValidationError) as error:
        say(" ".join(str(error).split()))
        return 2
    at_ms = int(time.time() * 1000)
    books.enter({"key": f"{at_ms}/rollback", "at_ms": at_ms, "from": before, "to": now})
    print(f"{now} answers again, {before} no more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
