"""``python -m services.distribute.courier``: the process that carries out subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from contextlib import AsyncExitStack

from services.distribute.channels import peer_channels
from services.distribute.courier.courier import Courier
from services.distribute.courier.documents import Documents
from services.distribute.courier.metrics import CourierMetrics
from services.distribute.courier.schemas import Schemas
from services.distribute.courier.settings import CourierSettings
from shared.errors import TocsinError, UpstreamUnavailableError
from shared.store import open_store
from shared.subscriptions.secrets import Sealer, key_file_of
from shared.telemetry.logs import configure_logs

SERVICE = "courier"


async def run(settings: CourierSettings, stopping: asyncio.Event) -> None:
    """Carry out subscriptions until ``stopping``."""
    store = open_store(settings)
    metrics = CourierMetrics(settings)
    sealer = Sealer.from_file(key_file_of(settings))
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        await metrics.start()
        stack.push_async_callback(metrics.stop)
        with contextlib.suppress(UpstreamUnavailableError):  # not there yet: indexes can wait
            await store.prepare()
        courier = Courier(
            settings, store, peer_channels(settings), sealer,
            Documents(Schemas(store).of_id), metrics,
        )  # fmt: skip
        await courier.run(stopping)


def main() -> int:
    """Run with settings from the environment; 2 if it cannot begin."""
    settings = CourierSettings()
    configure_logs(SERVICE, settings.log_level)

    async def until_signal() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await run(settings, stopping)

    try:
        asyncio.run(until_signal())
    except TocsinError as error:
        print(f"courier: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
