"""The edges, where effects happen: filters' topics and the database, compared with the river."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from services.console.account.balance import SHOWN
from services.console.account.ledger import Tally
from services.console.account.reading import Extent, TopicReader
from shared.kafka.records import Record
from shared.schemas.association import Association
from shared.store import Collection, Store

_CHUNK = 100
_KEEPER = "archive"
"""The stage that writes the database."""


@dataclass
class Edge:
    """What one edge holds of what it should hold."""

    name: str
    expected: int | None
    """Messages or documents it must hold; None for a filter, which takes what it wants."""
    found: int
    missing: int = 0
    repeated: int = 0
    changed: int = 0
    strangers: int = 0
    set_aside: int = 0
    """Messages it must not hold, for its keeper has made dead letters of them."""
    examples: list[str] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        """Whether the effect happened exactly once for everything."""
        return not (self.missing or self.repeated or self.changed or self.strangers)

    def to_json(self) -> dict[str, Any]:
        """All of it, for a script."""
        return {**asdict(self), "balances": self.balances}


def filter_edge(reader: TopicReader, topic: str, river: Tally) -> Edge:
    """A filter's topic: every message about an alert of the river, none about it twice."""
    extents = reader.extents(topic)
    tally = Tally(river.extents)
    anonymous = 0
    for _, headers in reader.records_with_headers(extents):
        origin = _origin_of(headers)
        if origin is None:
            anonymous += 1
        else:
            tally.add_origin(*origin)
    edge = Edge(topic, None, tally.alerts, strangers=anonymous + len(tally.strangers))
    for place, counts in tally.counts.items():
        repeated = (counts > 1).nonzero()[0]
        unknown = ((counts > 0) & (river.counts[place] == 0)).nonzero()[0]
        edge.repeated += len(repeated)
        edge.strangers += len(unknown)
        edge.examples += [
            f"{place[0]}/{place[1]} packet {i}" for i in [*repeated, *unknown][:SHOWN]
        ]
    return edge


def _origin_of(headers: dict[str, bytes]) -> tuple[str, int, int] | None:
    """The packet a delivery is about: its id is survey topic, partition and offset."""
    try:
        topic, partition, offset = headers["delivery_id"].decode().rsplit("/", 2)
        return topic, int(partition), int(offset)
    except (KeyError, ValueError):
        return None


def statement_edge(
    reader: TopicReader, statements: str, associations: str, private: Container[str] = ()
) -> Edge:
    """VOEvents or GCN notices: one for each association of a survey not private, none twice."""
    told = (Association.from_json(r.value) for r in reader.records(reader.extents(associations)))
    wanted = {each.delivery_id for each in told if each.survey not in private}
    found: Counter[str] = Counter(
        headers.get("delivery_id", b"").decode()
        for _, headers in reader.records_with_headers(reader.extents(statements))
    )
    missing = sorted(wanted - set(found))
    repeated = sorted(name for name, times in found.items() if times > 1)
    strangers = sorted(set(found) - wanted)
    return Edge(
        statements,
        len(wanted),
        found.total(),
        missing=len(missing),
        repeated=len(repeated),
        strangers=len(strangers),
        examples=[*missing[:SHOWN], *repeated[:SHOWN], *strangers[:SHOWN]],
    )


async def database_edge(
    reader: TopicReader,
    extents: list[Extent],
    store: Store,
    collection: Collection,
    name: str,
    set_aside: Container[tuple[str, bytes]] = (),
) -> Edge:
    """A collection of the database: every message of its topic, byte for byte.

    ``set_aside`` are stage and key (topic/partition/offset) of dead letters about whole messages.
    """
    value_field = "batch" if collection is Collection.ENVELOPES else "value"
    edge = Edge(name, sum(e.end - e.begin for e in extents), 0)
    for chunk in _chunks(reader.records(extents)):
        names = {f"{r.topic}-{r.partition}-{r.offset}": r for r in chunk}
        wanted = [v for n, r in names.items() for v in (n, f"{n}@{r.timestamp_ms}")]
        documents = await store.find(
            collection, {"_id": {"$in": wanted}}, fields=[value_field, "timestamp_ms"]
        )
        held = {
            (d["_id"].partition("@")[0], d.get("timestamp_ms")): bytes(d[value_field])
            for d in documents
        }
        for record_name, record in names.items():
            kept = held.get((record_name, record.timestamp_ms))
            place = f"{record.topic}/{record.partition}/{record.offset}".encode()
            if kept is None and (_KEEPER, place) in set_aside:
                edge.set_aside += 1
            elif kept is None:
                edge.missing += 1
                edge.examples.append(f"{record_name} is missing")
            else:
                edge.found += 1
                if kept != record.value:
                    edge.changed += 1
                    edge.examples.append(f"{record_name} was changed")
    del edge.examples[SHOWN:]
    return edge


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
