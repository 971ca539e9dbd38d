"""``tocsin labels show OBJECT``: all that was ever said of an object, as JSON lines, oldest first.

tocsin labels show ZTF21abiuvdk
"""

from __future__ import annotations

import json
import sys

from pydantic import ValidationError

from services.classify.verbs.labels.reading import add_as_of, labels_of
from services.classify.verbs.learn.choices import parser_of, say
from shared.errors import TocsinError
from shared.labels.resolve import resolve


def main(argv: list[str] | None = None) -> int:
    """Show the labels of one object, and what they come to."""
    parser = parser_of("show", __doc__ or "", group="labels")
    parser.add_argument("object_id")
    add_as_of(parser)
    chosen = parser.parse_args(argv)
    try:
        labels = labels_of([chosen.object_id], chosen.as_of)
    except (TocsinError, ValidationError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    for one in sorted({one.label_id: one for one in labels}.values(), key=lambda x: x.said_ms):
        said = one.model_dump(exclude_none=True)
        sys.stdout.write(json.dumps({"label_id": one.label_id, **said}) + "\n")
    for found in resolve(labels, chosen.as_of).values():
        what = {"class": found.class_name, "state": found.state, "evidence": dict(found.evidence)}
        sys.stdout.write(json.dumps(what) + "\n")
    if not labels:
        say(f"{chosen.object_id} has no label")
    return 0


if __name__ == "__main__":
    sys.exit(main())
