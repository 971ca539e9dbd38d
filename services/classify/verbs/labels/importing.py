"""``tocsin labels import``: send classes from a CSV file to the ``labels`` topic.

The first line names the columns: object_id and class_name, and any of survey, source (spectrum,
tns, expert, crossmatch), confidence, author, said_at (ISO 8601 UTC), ra_deg, dec_deg, redshift,
reference, comment. Labels are only ever added: a second opinion is kept beside the first, and
docs/learning.md says which counts. Sending a file twice does no harm.

  tocsin labels import classes.csv --author ann --source expert
  tocsin labels import classes.csv --dry-run
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from services.classify.learning.label_file import LabelDefaults, read_label_file
from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, say
from shared.errors import TocsinError
from shared.kafka.admin import ensure_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.label import Label, LabelSource
from shared.settings import ServiceSettings

_AT_ONCE = 1_000


async def send_labels(settings: ServiceSettings, labels: Sequence[Label]) -> None:
    """Put labels on their topic; returns when Kafka has them."""
    topic = Topic.LABELS.named(settings.topic_prefix)
    await ensure_topics(settings, [topic])
    outbox = Outbox(settings)
    try:
        for start in range(0, len(labels), _AT_ONCE):
            part = labels[start : start + _AT_ONCE]
            await outbox.send(topic, [Message(one.to_json(), key=one.key) for one in part])
    finally:
        await outbox.stop()


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("import", __doc__ or "", group="labels")
    parser.add_argument("file", type=Path, help="a CSV file")
    parser.add_argument(
        "--source", choices=get_args(LabelSource), default="expert",
        help="how they are known, where the file does not say (expert)",
    )  # fmt: skip
    parser.add_argument("--author", default=getpass.getuser(), help="who says so (you)")
    parser.add_argument("--dry-run", action="store_true", help="check the file, send nothing")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Send the labels of a file."""
    chosen = _parser().parse_args(argv)
    defaults = LabelDefaults(chosen.source, chosen.author, int(time.time() * 1000))
    try:
        labels, refused = read_label_file(chosen.file, defaults)
        if not chosen.dry_run and labels:
            asyncio.run(send_labels(ClassifySettings(), labels))
    except (OSError, ValueError, ValidationError, TocsinError) as error:
        say(" ".join(str(error).split()))
        return 2
    for one in refused:
        say(f"line {one.line}: {one.why}")
    verb = "would be sent" if chosen.dry_run else "sent"
    print(f"{len(labels)} labels {verb}, {len(refused)} lines refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
