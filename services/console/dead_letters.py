"""``tocsin dead-letters``: what was set aside and why; look at one; send some back."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from services.console.account.reading import TopicReader
from services.console.running_mesh import mesh_settings
from shared.errors import TocsinError
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings
from shared.telemetry.terminal import as_markup

EPILOG = """\b
Examples:
  tocsin dead-letters list                          counts by stage and reason, the latest
  tocsin dead-letters list --reason bug --json      one JSON object a line
  tocsin dead-letters show ztf_alerts/0/4711        one letter, traceback and all
  tocsin dead-letters show ztf_alerts/0/4711 --payload > packet.avro
  tocsin dead-letters replay --stage classify       send back to where they came from
"""
screen = Console(highlight=False)
_YEAR_9999_MS = 253_370_764_800_000
MAX_DETAIL = 500
"""Characters of a detail in the list; ``show`` has all."""


@click.group("dead-letters", epilog=EPILOG)
def command() -> None:
    """List, show and replay records that were set aside."""


def letters_of(
    settings: ServiceSettings, stage: str | None = None, reason: str | None = None
) -> Iterator[DeadLetter]:
    """Every dead letter on the topic, oldest first, of a stage and reason if given."""
    with TopicReader(settings) as reader:
        topic = Topic.DEAD_LETTERS.named(settings.topic_prefix)
        if topic not in reader.topics():
            return
        for record in reader.records(reader.extents(topic)):
            try:
                letter = DeadLetter.from_json(record.value)
            except ValidationError:
                place = f"{record.topic}/{record.partition}/{record.offset}"
                click.echo(f"{place} is no dead letter; left out", err=True)
                continue
            if stage in (None, letter.stage) and reason in (None, letter.reason):
                yield letter


def _written(letter: DeadLetter) -> str:
    if not 0 <= letter.set_aside_ms < _YEAR_9999_MS:
        return "?"
    return datetime.fromtimestamp(letter.set_aside_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@command.command("list")
@click.option("--stage", help="Only those of this service.")
@click.option("--reason", help="Only those with this reason.")
@click.option("--last", default=10, help="How many of the latest to show.")
@click.option("--json", "as_json", is_flag=True, help="All of them, one JSON object a line.")
def list_letters(stage: str | None, reason: str | None, last: int, *, as_json: bool) -> None:
    """Count dead letters by stage and reason, and show the latest."""
    counts: Counter[tuple[str, str]] = Counter()
    latest: list[DeadLetter] = []
    for letter in letters_of(mesh_settings(), stage, reason):
        if as_json:
            click.echo(letter.model_dump_json(exclude={"payload"}))
            continue
        counts[letter.stage, letter.reason] += 1
        latest = [*latest, letter][-last:]
    if as_json:
        return
    if not counts:
        screen.print("No dead letters.")
        return
    table = Table("stage", "reason", "letters")
    for (of_stage, of_reason), number in counts.most_common():
        table.add_row(as_markup(of_stage), as_markup(of_reason), f"{number:,}")
    screen.print(table)
    for letter in latest:
        said = as_markup(f"{letter.stage} {letter.reason}: {letter.detail[:MAX_DETAIL]}")
        screen.print(f"[bold]{as_markup(letter.key.decode())}[/] {_written(letter)} {said}")


@command.command("show")
@click.argument("origin", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--payload", is_flag=True, help="Write the record itself to standard output.")
def show_letter(origin: str, *, payload: bool) -> None:
    """Show the letters about one record: reason, detail, traceback."""
    found = [letter for letter in letters_of(mesh_settings()) if letter.key.decode() == origin]
    if not found:
        raise click.ClickException(f"no dead letter about {origin}")
    if payload:
        content = found[-1].payload
        if content is None:
            raise click.ClickException(f"the letter has no payload; {origin} itself has it")
        sys.stdout.buffer.write(content)
        return
    for letter in found:
        fields = json.loads(letter.model_dump_json(exclude={"payload", "traceback"}))
        for name, value in fields.items():
            screen.print(f"[bold]{name}[/]: {as_markup(value)}")
        screen.print(f"[bold]payload[/]: {len(letter.payload or b''):,} bytes")
        if letter.traceback:
            screen.print(as_markup(letter.traceback))


@command.command("replay")
@click.option("--stage", help="Only those of this service.")
@click.option("--reason", help="Only those with this reason; duplicates have nothing to replay.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent.")
def replay_letters(stage: str | None, reason: str | None, *, dry_run: bool) -> None:
    """Send records back to the topic they were taken from, after what was wrong is mended."""
    settings = mesh_settings()
    by_topic: dict[str, list[Message]] = {}
    kept = 0
    for letter in letters_of(settings, stage, reason):
        if letter.payload is None or not _is_ours(settings, letter.taken_from):
            kept += 1
            continue
        message = Message(letter.payload, headers=(("tocsin.replay", letter.key),))
        by_topic.setdefault(letter.taken_from, []).append(message)
    for topic, messages in by_topic.items():
        screen.print(f"{topic}: {len(messages):,} records{' would be sent' if dry_run else ''}")
    if kept:
        screen.print(
            f"{kept:,} letters stay: they hold no record (duplicates, or too large), or come from "
            "a topic that is neither a survey's nor ours"
        )
    if not (by_topic or kept):
        which = " like these" if stage or reason else ""
        screen.print(f"No dead letters{which}: nothing to send back. `dead-letters list` has all.")
    if not dry_run and by_topic:
        try:
            asyncio.run(_send(settings, by_topic))
        except TocsinError as error:
            raise click.ClickException(str(error)) from error


def _is_ours(settings: ServiceSettings, topic: str) -> bool:
    """Whether a replay may write to ``topic``: a letter's word for it is not enough."""
    ours = {t.named(settings.topic_prefix) for t in Topic}
    return topic in ours or any(
        topic == name or (name.startswith("^") and re.match(name, topic))
        for _, name in settings.survey_topic_pairs()
    )


async def _send(settings: ServiceSettings, by_topic: dict[str, list[Message]]) -> None:
    outbox = Outbox(settings)
    try:
        for topic, messages in by_topic.items():
            await outbox.send(topic, messages)
    finally:
        await outbox.stop()
