"""``python -m services.distribute.vtp``: the VOEvent broker's process."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from services.distribute.vtp.broker import Broker
from services.distribute.vtp.feed import Feed
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from shared.telemetry.logs import configure_logs

SERVICE = "vtp"


async def run(settings: VtpSettings, stopping: asyncio.Event) -> None:
    """Serve until ``stopping``."""
    metrics = VtpMetrics(settings)
    feed = Feed(settings, metrics)
    broker = Broker(settings, feed.keep, metrics)

    def ready(known: list[bytes]) -> None:
        for identity in known:
            broker.authors.remember(identity)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(feed.stop)
        await metrics.start()
        stack.push_async_callback(metrics.stop)
        await broker.start()
        stack.push_async_callback(broker.stop)
        feeding = asyncio.create_task(feed.run(broker.relay, ready))
        waiting: asyncio.Task[Any] = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait([feeding, waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in (feeding, waiting):
            task.cancel()
        await asyncio.gather(feeding, waiting, return_exceptions=True)
        for task in done - {waiting}:
            task.result()


def main() -> int:
    """Run with settings from the environment; 2 if it cannot begin."""
    settings = VtpSettings()
    configure_logs(SERVICE, settings.log_level)

    async def until_signal() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await run(settings, stopping)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(until_signal())
    except (OSError, ValueError) as error:
        print(f"vtp: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
