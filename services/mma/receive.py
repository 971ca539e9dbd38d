"""``tocsin mma receive``: take notices in from everywhere that is set, for ever."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from services.mma.receivers import folder, gcn_kafka, http, injections, vtp
from services.mma.receivers.injection_watch import InjectionWatch, watch_associations
from services.mma.receivers.intake import Intake
from services.mma.receivers.metrics import ReceiverMetrics
from services.mma.receivers.settings import ReceiverSettings
from shared.errors import TocsinError
from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES, Outbox
from shared.kafka.topics import Topic
from shared.schemas.notice import Notice
from shared.telemetry.logs import configure_logs

log = structlog.get_logger()

DESCRIPTION = """\
Receive notices and put them, raw and parsed, on the notices topic, each once. Every receiver that
has a setting runs: GCN's Kafka, VTP brokers, HTTP POST, a folder, test injections. What cannot be
read goes to dead-letters. Nothing is acknowledged to a sender before Kafka has it; after a restart
receivers go on where they were."""

EXAMPLES = """\
examples:
  TOCSIN_GCN_BOOTSTRAP_SERVERS=kafka.gcn.nasa.gov TOCSIN_GCN_CLIENT_ID=... \\
      TOCSIN_GCN_CLIENT_SECRET=... tocsin mma receive
  TOCSIN_VTP_SERVERS=voevent.4pisky.org:8099 tocsin mma receive
  TOCSIN_RECEIVE_FOLDER=incoming TOCSIN_INJECT_EVERY_S=300 tocsin mma receive
  TOCSIN_RECEIVE_HTTP_PORT=8870 TOCSIN_RECEIVE_HTTP_TOKEN=... tocsin mma receive
  curl -H "Authorization: Bearer $TOKEN" --data-binary @burst.xml 127.0.0.1:8870/notices

Exit status: 0 ended by a signal, 2 nothing to receive from, or no Kafka."""


async def recall(settings: ReceiverSettings, intake: Intake) -> int:
    """Tell the intake what is on ``notices`` already; returns how many there are."""
    name = Topic.NOTICES.named(settings.topic_prefix)
    async with KafkaAdmin(settings) as admin:
        ends = await admin.end_offsets([name])
        begins = await admin.begin_offsets([name])
    left = {TopicPartition(*k): end for k, end in ends.items() if end > begins.get(k, 0)}
    if not left:
        return 0
    consumer = AIOKafkaConsumer(
        **aiokafka_connection(settings),
        enable_auto_commit=False,
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
    await consumer.start()
    known = 0
    try:
        consumer.assign([*left])
        await consumer.seek_to_beginning(*left)
        while left:
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    known += _remember(intake, message.value or b"")
            for partition in [*left]:
                if await consumer.position(partition) >= left[partition]:
                    del left[partition]
    finally:
        await consumer.stop()
    return known


def _remember(intake: Intake, value: bytes) -> int:
    try:
        intake.remember(Notice.from_json(value).notice_id)
    except ValidationError:
        return 0
    return 1


def _receivers(
    settings: ReceiverSettings, intake: Intake, metrics: ReceiverMetrics
) -> list[Coroutine[Any, Any, None]]:
    """Those that are set, HTTP apart."""
    running: list[Coroutine[Any, Any, None]] = []
    if settings.gcn_bootstrap_servers:
        running.append(gcn_kafka.receive(settings, intake.take))
    running += [
        vtp.receive(server, settings.vtp_ivorn, intake.take)
        for server in settings.vtp_server_names()
    ]
    if settings.receive_folder is not None:
        running.append(folder.receive(settings.receive_folder, intake.take))
    if settings.inject_every_s:
        watch = InjectionWatch(settings.inject_patience_s, metrics)
        running.append(watch_associations(settings, watch))
        running.append(injections.inject(settings.inject_every_s, intake.take, watch))
    return running


async def run(settings: ReceiverSettings, stopping: asyncio.Event) -> None:
    """Receive until ``stopping``; raises ``UpstreamUnavailableError`` if Kafka is away at start."""
    topics = (Topic.NOTICES, Topic.DEAD_LETTERS, Topic.ASSOCIATIONS)
    await ensure_topics(settings, [topic.named(settings.topic_prefix) for topic in topics])
    outbox = Outbox(settings)
    metrics = ReceiverMetrics(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(outbox.stop)
        await metrics.start()
        stack.push_async_callback(metrics.stop)
        intake = Intake(settings, outbox, metrics.taken)
        stack.callback(intake.close)
        log.info("receivers_recall", known=await recall(settings, intake))
        if settings.receive_http_port and settings.receive_http_token.get_secret_value():
            runner = await http.serve(settings, intake.take)
            stack.push_async_callback(runner.cleanup)
        tasks = [asyncio.create_task(one) for one in _receivers(settings, intake, metrics)]
        metrics.ready()
        waiting = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, *tasks):
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
        for task in done - {waiting}:
            task.result()


def main(argv: list[str] | None = None) -> int:
    """Receive with settings from the environment."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma receive",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(argv)
    settings = ReceiverSettings()
    if not settings.is_anything_set():
        sys.stderr.write("tocsin mma receive: nothing to receive from; see --help\n")
        return 2
    configure_logs("mma-receive", settings.log_level)

    async def until_signal() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await run(settings, stopping)

    try:
        asyncio.run(until_signal())
    except TocsinError as error:
        sys.stderr.write(f"tocsin mma receive: {error}; start Kafka with: tocsin up\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
