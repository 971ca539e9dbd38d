"""``tocsin mma send``: put notices on the ``notices`` topic."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import orjson

from services.mma.notice_files import notice_paths, read_path, refusal
from services.mma.settings import MmaSettings
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka.admin import ensure_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.notice import Notice

DESCRIPTION = """\
Read notices (VOEvent 1.1, 2.0, 2.1; LVK and GCN JSON; gzipped or not) and put them, raw and
parsed, on the notices topic of the running mesh. One JSON line each says what was sent or why
it was refused. Sending a notice twice does no harm. Exit status 1 if any was refused, 2 if
there is no Kafka."""

EXAMPLES = """\
examples:
  tocsin mma send S240115x-preliminary.json.gz
  tocsin mma sample-notice --kind grb --out burst.xml && tocsin mma send burst.xml"""


async def send(settings: MmaSettings, notices: list[Notice]) -> None:
    """Send ``notices`` in order; returns when Kafka has acknowledged every one.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer.
    """
    topic = Topic.NOTICES.named(settings.topic_prefix)
    await ensure_topics(settings, [topic])
    outbox = Outbox(settings)
    try:
        await outbox.send(topic, [Message(n.to_json(), key=n.key) for n in notices])
    finally:
        await outbox.stop()


def main(argv: list[str] | None = None) -> int:
    """Send the files and folders of ``argv``."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma send",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="files or folders")
    options = parser.parse_args(argv)
    read: list[tuple[Path, Notice]] = []
    refused = 0
    for path in notice_paths(options.paths):
        try:
            read.append((path, read_path(path)))
        except RejectedRecordError as error:
            sys.stdout.write(orjson.dumps(refusal(path, error)).decode() + "\n")
            refused += 1
    try:
        if read:
            asyncio.run(send(MmaSettings(), [notice for _, notice in read]))
    except UpstreamUnavailableError as error:
        sys.stderr.write(f"{error}; start it with: tocsin up\n")
        return 2
    for path, notice in read:
        sys.stdout.write(orjson.dumps(_sent(path, notice)).decode() + "\n")
    return 1 if refused else 0


def _sent(path: Path, notice: Notice) -> dict[str, object]:
    named = ("notice_id", "notice_type", "event_id", "role", "alert_kind", "event_time")
    return {"file": str(path), "status": "sent", **notice.model_dump(include=set(named))}


if __name__ == "__main__":
    sys.exit(main())
