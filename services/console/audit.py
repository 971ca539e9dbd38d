"""``tocsin audit``: every alert that came in must stand in exactly one known state."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from services.console.account.balance import Line, lines_of
from services.console.account.edges import Edge, database_edge, filter_edge, statement_edge
from services.console.account.ledger import Tally, letters_by_stage, together
from services.console.account.reading import Extent, TopicReader
from services.console.running_mesh import mesh_settings
from services.console.settings import FUSED, RIVER, LocalSettings
from shared.archive.readers import private_surveys
from shared.errors import TocsinError
from shared.kafka.topics import OUT_PREFIX, Topic
from shared.settings import ServiceSettings
from shared.store import Collection, open_store

EPILOG = """\b
Examples:
  tocsin audit                  weigh everything now
  tocsin audit --wait 60        allow the mesh up to a minute to finish first
  tocsin audit --json           for a script; exit status 1 if it does not balance

The account is kept from the topics alone: no service is asked. Each survey packet, known by its
topic, partition and offset, must be found in every stage's output or among its dead letters, with
the same identity, place, time and flux. At the edges (filters' topics, the database) nothing may
be missing, changed or there twice. Inside the mesh a repeat is allowed: delivery there is at
least once.
"""

STAGES = (
    ("ingest", Topic.ALERTS),
    ("xmatch", Topic.MATCHED),
    ("classify", Topic.CLASSIFIED),
    ("mma", Topic.CORRELATED),
)
"""Each stage and the topic it writes, in the order of the river."""
FUSED_STAGES = ((RIVER, Topic.CORRELATED),)
"""The same where one process does it all and the topics in between stay empty."""
KEPT = (
    (Topic.CORRELATED, Collection.ENVELOPES),
    (Topic.NOTICES, Collection.NOTICES),
    (Topic.ASSOCIATIONS, Collection.ASSOCIATIONS),
    (Topic.COINCIDENCES, Collection.COINCIDENCES),
    (Topic.UPDATES, Collection.UPDATES),
    (Topic.LABELS, Collection.LABELS),
    (Topic.TARGETS, Collection.TARGETS),
    (Topic.VOTES, Collection.VOTES),
)
"""Topics whose every message the archive must hold."""
screen = Console(highlight=False)
_PLAIN: dict[str, Any] = {
    "box": None, "title_justify": "left", "title_style": "bold",
    "pad_edge": False, "padding": (0, 1, 0, 0),
}  # fmt: skip


@dataclass
class Account:
    """The whole account at one moment."""

    lines: list[Line] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    unreadable: int = 0
    """Dead letters about records that could not be read: alerts in them cannot be named."""

    @property
    def balances(self) -> bool:
        """Whether every line and edge does, and nothing unknown was found."""
        lines = all(line.balances for line in self.lines)
        return lines and all(edge.balances for edge in self.edges) and not self.strangers

    def to_json(self) -> dict[str, Any]:
        """All of it, for a script."""
        return {
            "balances": self.balances,
            "stages": [line.to_json() for line in self.lines],
            "edges": [edge.to_json() for edge in self.edges],
            "strangers": self.strangers[:20],
            "unreadable_dead_letters": self.unreadable,
        }


@click.command("audit", epilog=EPILOG)
@click.option("--wait", "wait_s", default=0.0, metavar="SECONDS", help="Try again for so long.")
@click.option("--no-database", is_flag=True, help="Leave the archive's database out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def command(wait_s: float, *, no_database: bool, as_json: bool) -> None:
    """Show that what came in equals what went out plus dead letters; exit 1 if it does not."""
    settings = mesh_settings()
    deadline = time.monotonic() + wait_s
    try:
        account = asyncio.run(weigh(settings, with_database=not no_database))
        while not account.balances and time.monotonic() < deadline:
            time.sleep(1)
            account = asyncio.run(weigh(settings, with_database=not no_database))
    except TocsinError as error:
        raise click.ClickException(f"{error}\nIs it running? tocsin status") from error
    if as_json:
        click.echo(json.dumps(account.to_json()))
    else:
        show(account, settings.topic_prefix)
    if not account.balances:
        raise SystemExit(1)


async def weigh(settings: ServiceSettings, *, with_database: bool) -> Account:
    """Read every topic once and draw up the account.

    Downstream topics are measured before those above them, so that a packet under way is seen
    as not yet come rather than as missing at a later stage.
    """
    account = Account()
    with TopicReader(settings) as reader:
        known = reader.topics()
        prefix = settings.topic_prefix
        out_topics = [t for t in known if t.startswith(f"{prefix}{OUT_PREFIX}")]
        kept = [
            (reader.extents(t.named(prefix)), c, t) for t, c in KEPT if t.named(prefix) in known
        ]
        surveys = _survey_extents(reader, settings, known)
        letters, unreadable, whole = letters_by_stage(
            reader.records(reader.extents(Topic.DEAD_LETTERS.named(prefix))), surveys
        )
        account.unreadable = len(unreadable)
        tally: Tally | None = None
        fused = isinstance(settings, LocalSettings) and settings.fused
        for stage, topic in FUSED_STAGES if fused else STAGES:
            before, tally = tally, Tally(surveys)
            for record in reader.records(reader.extents(topic.named(prefix))):
                tally.add_envelope(record)
            services = FUSED if stage == RIVER else (stage,)
            aside = together([letters[name] for name in services if name in letters], surveys)
            account.lines += lines_of(stage, before, tally, aside)
            account.strangers += _unexplained(tally, unreadable)
        if tally is not None:
            account.edges += [filter_edge(reader, topic, tally) for topic in out_topics]
        associations = Topic.ASSOCIATIONS.named(prefix)
        private = private_surveys(settings.private_surveys)
        for topic in (Topic.VOEVENTS, Topic.GCN_NOTICES):
            pair = (topic.named(prefix), associations)
            account.edges.append(statement_edge(reader, *pair, private))
        if with_database:
            store = open_store(settings)
            for extents, collection, topic in kept:
                name = f"database: {topic.value}"
                account.edges.append(
                    await database_edge(reader, extents, store, collection, name, whole)
                )
            store.close()
    return account


def _unexplained(tally: Tally, unreadable: list[Any]) -> list[str]:
    """Strangers that no dead letter accounts for."""
    explained = {f"{u.origin_topic}/{u.origin_partition}/{u.origin_offset}" for u in unreadable}
    return [s for s in tally.strangers if s.split(":")[0] not in explained]


def _survey_extents(
    reader: TopicReader, settings: ServiceSettings, known: list[str]
) -> list[Extent]:
    patterns = [topic for _, topic in settings.survey_topic_pairs()]
    topics = [t for t in known if any(_matches(t, p) for p in patterns)]
    return [extent for topic in topics for extent in reader.extents(topic)]


def _matches(topic: str, pattern: str) -> bool:
    import re  # noqa: PLC0415  # patterns are rare

    return bool(re.match(pattern, topic)) if pattern.startswith("^") else topic == pattern


def show(account: Account, topic_prefix: str) -> None:
    """Print the account as tables that fit 80 columns, and the verdict."""
    stages = Table("stage", "survey topic", title="Inside the mesh, packets", **_PLAIN)
    for name in ("in", "out", "set aside", "missing", "repeated", "changed"):
        stages.add_column(name, justify="right")
    for line in account.lines:
        numbers = (line.came_in, line.went_out, line.dead_letters, line.missing, line.repeated,
                   line.changed)  # fmt: skip
        style = None if line.balances else "bold red"
        place = f"{line.topic}/{line.partition}"
        if line.came_in or not line.balances:
            stages.add_row(line.stage, place, *(f"{n:,}" for n in numbers), style=style)
    screen.print(stages)
    edges = Table(title="At the edges, messages", **_PLAIN)
    edges.add_column("edge", overflow="fold")
    for name in ("due", "found", "set aside", "missing", "repeated", "changed", "strange"):
        edges.add_column(name, justify="right", max_width=8)  # leaves the names on one line
    for edge in account.edges:
        held = (edge.found, edge.set_aside, edge.missing, edge.repeated, edge.changed,
                edge.strangers)  # fmt: skip
        expected = "any" if edge.expected is None else f"{edge.expected:,}"
        style = None if edge.balances else "bold red"
        edges.add_row(
            edge.name.removeprefix(topic_prefix), expected, *(f"{n:,}" for n in held), style=style
        )
    screen.print(edges)
    show_faults(account)
    verdict = "[green]The account balances." if account.balances else "[bold red]DOES NOT BALANCE."
    screen.print(verdict)


def show_faults(account: Account) -> None:
    """Name what is wrong, a few of each kind."""
    for line in account.lines:
        for word, offsets in (("missing", line.missing_offsets), ("changed", line.changed_offsets)):
            if offsets:
                screen.print(f"{line.stage}: {word} {line.topic}/{line.partition} {offsets}")
    for stranger in account.strangers[:20]:
        screen.print(f"stranger: {stranger}")
    for edge in account.edges:
        for example in edge.examples:
            screen.print(f"{edge.name}: {example}")
    if account.unreadable:
        screen.print(f"{account.unreadable} dead letters hold records that cannot be read")
