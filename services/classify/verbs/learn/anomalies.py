"""``tocsin learn anomalies USER``: what is most anomalous to a user, by that user's own votes.

Votes are given through the portal (`POST /api/v1/votes`). The worker of votes must run:
`python -m services.classify.learning`. A list follows a vote within seconds.

  tocsin learn anomalies ann
  tocsin learn anomalies ann --most 5 --json
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pydantic import ValidationError

from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, print_table, say
from shared.errors import TocsinError
from shared.store import Collection, open_store


async def read_list(user: str) -> dict[str, Any] | None:
    """A user's list as the worker wrote it; None if there is none."""
    store = open_store(ClassifySettings())
    try:
        found = await store.find(Collection.ANOMALY_LISTS, {"_id": user}, limit=1)
    finally:
        store.close()
    return found[0] if found else None


def main(argv: list[str] | None = None) -> int:
    """Show a user's list."""
    parser = parser_of("anomalies", __doc__ or "")
    parser.add_argument("user")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="objects (20)")
    parser.add_argument("--json", action="store_true", help="all of it")
    chosen = parser.parse_args(argv)
    try:
        found = asyncio.run(read_list(chosen.user))
    except (TocsinError, ValidationError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    if found is None:
        say(f"no list of {chosen.user}: vote first, and run python -m services.classify.learning")
        return 2
    top = found["top"][: chosen.most]
    if chosen.json:
        sys.stdout.write(json.dumps({**found, "top": top}) + "\n")
        return 0
    rows = [
        {
            "rank": k,
            "object_id": one["object_id"],
            "score": one["score"],
            "because of": ", ".join(reason["feature"] for reason in one["reasons"]),
        }
        for k, one in enumerate(top, start=1)
    ]
    print_table(rows, ("rank", "object_id", "score", "because of"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
