"""The database's account: held, missing, or set aside with a dead letter of the archive's."""

from __future__ import annotations

import pytest

from services.console.account.edges import database_edge
from services.console.account.reading import Extent
from shared.kafka.records import Record
from shared.store import Collection

RECORDS = [Record("tocsin.notices", 0, offset, 1000, None, b"%d" % offset) for offset in range(4)]


class Reader:
    def records(self, extents):
        return iter(RECORDS)


class Store:
    """Holds the first two notices, the second one spoilt."""

    async def find(self, collection, query, *, fields):
        return [
            {"_id": "tocsin.notices-0-0", "timestamp_ms": 1000, "value": b"0"},
            {"_id": "tocsin.notices-0-1", "timestamp_ms": 1000, "value": b"other"},
        ]


async def edge_of(*set_aside: tuple[str, bytes]):
    extents = [Extent("tocsin.notices", 0, 0, 4)]
    return await database_edge(
        Reader(), extents, Store(), Collection.NOTICES, "database: notices", set(set_aside)
    )


async def test_what_the_database_lacks_is_missing() -> None:
    edge = await edge_of()
    assert (edge.found, edge.changed, edge.missing, edge.set_aside) == (2, 1, 2, 0)
    assert not edge.balances


async def test_a_dead_letter_of_the_archive_explains_what_is_not_there() -> None:
    edge = await edge_of(("archive", b"tocsin.notices/0/2"))
    assert (edge.missing, edge.set_aside) == (1, 1)


@pytest.mark.parametrize("letter", [("mma", b"tocsin.notices/0/2"), ("archive", b"x/0/2")])
async def test_other_letters_explain_nothing(letter) -> None:
    assert (await edge_of(letter)).missing == 2
