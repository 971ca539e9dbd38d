"""``tocsin targets show``: the lists of a night as the archive has them.

tocsin targets show --night 61000 --facility palomar_5m
tocsin targets show --json
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pydantic import ValidationError

from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, print_table, say
from services.classify.verbs.targets.make import COLUMNS, tonight_mjd
from shared.errors import TocsinError
from shared.schemas.target import Target
from shared.store import Collection, open_store


async def read_targets(night: int, facility: str | None) -> list[Target]:
    """The newest lists of a night, by facility and rank."""
    query: dict[str, Any] = {"key": str(night)}
    if facility is not None:
        query["fields.facility"] = facility
    store = open_store(ClassifySettings())
    found = []
    try:
        for document in await store.find(Collection.TARGETS, query, fields=["value"]):
            try:
                found.append(Target.from_json(bytes(document["value"])))
            except ValidationError:
                continue
    finally:
        store.close()
    newest: dict[str, int] = {}
    for one in found:
        newest[one.facility] = max(newest.get(one.facility, 0), one.made_ms)
    kept = {(t.facility, t.rank): t for t in found if t.made_ms == newest[t.facility]}
    return [kept[key] for key in sorted(kept)]


def main(argv: list[str] | None = None) -> int:
    """Show the lists of a night."""
    parser = parser_of("show", __doc__ or "", group="targets")
    parser.add_argument("--night", type=int, default=tonight_mjd(), help="MJD of the evening")
    parser.add_argument("--facility", help="only this one's")
    parser.add_argument("--json", action="store_true", help="one JSON line each, all of it")
    chosen = parser.parse_args(argv)
    try:
        found = asyncio.run(read_targets(chosen.night, chosen.facility))
    except (TocsinError, ValidationError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    if chosen.json:
        sys.stdout.write("".join(f"{one.model_dump_json()}\n" for one in found))
    else:
        print_table([one.model_dump() for one in found], COLUMNS)
    if not found:
        say(f"no list of night {chosen.night}; `tocsin targets make` makes one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
