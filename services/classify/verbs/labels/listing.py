"""``tocsin labels list``: every labelled object, the class its labels come to, and how surely.

State: single (one label), agreed, outweighed (they differ, one class leads), disputed (none does:
nothing is learnt from it), no_class.

  tocsin labels list --state disputed
  tocsin labels list --as-of 2026-11-01 --csv > classes.csv
"""

from __future__ import annotations

import csv
import sys

from pydantic import ValidationError

from services.classify.verbs.labels.reading import add_as_of, labels_of, shown
from services.classify.verbs.learn.choices import parser_of, print_table, say
from shared.errors import TocsinError
from shared.labels.resolve import resolve

COLUMNS = ("object_id", "class", "state", "evidence", "labels", "taken")
STATES = ("single", "agreed", "outweighed", "disputed", "no_class")


def main(argv: list[str] | None = None) -> int:
    """List resolved labels."""
    parser = parser_of("list", __doc__ or "", group="labels")
    add_as_of(parser)
    parser.add_argument("--state", choices=STATES, help="only such objects")
    parser.add_argument("--csv", action="store_true", help="as CSV")
    chosen = parser.parse_args(argv)
    try:
        found = resolve(labels_of(None, chosen.as_of), chosen.as_of)
    except (TocsinError, ValidationError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    rows = [
        {
            "object_id": name,
            "class": one.class_name or "",
            "state": one.state,
            "evidence": next(iter(one.evidence.values()), 0.0),
            "labels": len(one.labels),
            "taken": shown(one.taken_ms) if one.taken_ms else "",
        }
        for name, one in sorted(found.items())
        if chosen.state in {None, one.state}
    ]
    if chosen.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    else:
        print_table(rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
