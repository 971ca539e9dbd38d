"""``create_app``: a Faust application tuned so that nothing is lost, and what comes with it.

The settings of Faust below were found by killing workers and counting every record
(docs/reliability.md): at-least-once, short sessions so that a dead worker's partitions move
within seconds, no lz4 (aiokafka's costs a millisecond per alert).
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any, Protocol, cast

import faust
import structlog
from mode import Service

from shared.kafka import patience
from shared.kafka.continuity import Continuity
from shared.kafka.faust_connection import faust_connection
from shared.kafka.hops import Hops
from shared.kafka.lag import LagWatch
from shared.kafka.outbox import Outbox
from shared.kafka.waiting import wait_for_kafka
from shared.settings import ServiceSettings
from shared.telemetry.disk import DiskCollector
from shared.telemetry.health import Progress
from shared.telemetry.http import HealthServer
from shared.telemetry.logs import configure_logs
from shared.telemetry.metrics import ServiceMetrics

log = structlog.get_logger()


class SharedSource(Protocol):
    """A source of packets that several apps of one process may read (`shared.kafka.packets`)."""

    topics: list[str]

    def share_with(self, reader: Any) -> None:
        """Hand every take to ``reader``, a ``PacketReader``, too."""
        ...


class ServiceApp(faust.App):
    """A Faust app with the way out, the instruments and the health of one service."""

    logger = logging.getLogger("faust.app")

    service_settings: ServiceSettings
    outbox: Outbox
    metrics: ServiceMetrics
    progress: Progress
    lag_watch: LagWatch
    continuity: Continuity
    hops: Hops
    leader: ServiceApp | None = None
    """The app whose process this one shares; None where it has its own."""
    companions: list[ServiceApp]
    """The apps that share this one's process."""
    packet_source: SharedSource | None = None
    """What reads survey packets here, if anything does."""

    def attach(self, service: Service) -> None:
        """Start and stop ``service`` with the app (Faust's own call wants a class, takes both)."""
        self.service(cast(Any, service))


class _Surroundings(Service):
    """Starts and stops what surrounds the agents: health page, lag watch, outbox."""

    logger = logging.getLogger("faust.surroundings")

    def __init__(self, app: ServiceApp, server: HealthServer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._app = app
        self._server = server
        self._watching: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        await self._server.start()
        self._watching = asyncio.create_task(self._app.lag_watch.run())
        self._app.progress.is_ready = True
        log.info("service_ready")

    async def on_stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self._server.stop()


def create_app(
    name: str, settings: ServiceSettings, beside: ServiceApp | None = None
) -> ServiceApp:
    """Make the Faust application of service ``name``; its consumer group is prefix + name.

    Parameters
    ----------
    name
        The service, as it stands in metrics, groups and dead letters.
    settings
        The service's own.
    beside
        The app whose process this one is to share: instruments, health page and the way out
        are then that one's, and stages take alerts from each other in memory (``Hops``).
    """
    app = ServiceApp(
        f"{settings.topic_prefix}{name}",
        **faust_connection(settings),
        store="memory://",
        datadir=str(settings.state_dir / "faust" / name),
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=4 * 1024 * 1024,
        broker_session_timeout=patience.SESSION_S,
        broker_heartbeat_interval=patience.HEARTBEAT_S,
        broker_rebalance_timeout=patience.REBALANCE_S,
        broker_request_timeout=patience.REQUEST_S,
        consumer_metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
        producer_metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
        broker_commit_interval=1.0,
        broker_check_crcs=False,
        broker_max_poll_records=100,
        stream_buffer_maxsize=64,
        stream_wait_empty=False,
    )
    app.service_settings = settings
    app.companions = []
    app.continuity = Continuity(settings, str(app.conf.id))
    app.on_partitions_assigned.connect(cast(Any, _note_assignment), weak=False)
    if beside is None:
        _give_surroundings(app, settings, name)
    else:
        _share_surroundings(app, beside, name)
    return app


def _give_surroundings(app: ServiceApp, settings: ServiceSettings, name: str) -> None:
    app.metrics = ServiceMetrics(name)
    app.metrics.registry.register(DiskCollector(settings.state_dir))
    app.progress = Progress(settings.progress_timeout_s)
    app.outbox = Outbox(settings)
    app.hops = Hops()
    app.lag_watch = LagWatch(settings, app.metrics, app.progress)
    server = HealthServer(
        app.metrics.registry, app.progress, settings.http_host, settings.http_port
    )
    app.attach(_Surroundings(app, server))


def _share_surroundings(app: ServiceApp, leader: ServiceApp, name: str) -> None:
    app.leader = leader
    leader.companions.append(app)
    app.metrics = leader.metrics.beside(name)
    app.progress, app.outbox, app.hops = leader.progress, leader.outbox, leader.hops
    app.lag_watch = leader.lag_watch


async def _note_assignment(app: ServiceApp, assigned: set[Any], **_: Any) -> None:
    app.continuity.moved((tp.topic, tp.partition) for tp in assigned)


def outbox_of(app: ServiceApp) -> Outbox:
    """The service's way out to Kafka."""
    return app.outbox


def run(app: ServiceApp, settings: ServiceSettings) -> None:
    """Run the worker until it is told to stop (SIGTERM: finish the take, commit, leave)."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    configure_logs(app.metrics.service, settings.log_level)
    Path(app.conf.datadir).mkdir(parents=True, exist_ok=True)
    masked = settings.model_dump(mode="json")
    log.info("service_starting", settings=masked)
    # A service that reads only past Faust (packets, tails) has no agent; Faust's consumer would
    # crash for want of topics, so it is not started.
    for each in (app, *app.companions):
        each.producer_only = not each.agents
    asyncio.run(wait_for_kafka(settings))
    loop = _event_loop()
    worker = faust.Worker(
        app,
        *app.companions,
        loop=loop,
        loglevel=settings.log_level,
        override_logging=False,
        redirect_stdouts=False,
        quiet=True,
    )
    worker.spinner = None  # it writes escape codes into the log
    worker.execute_from_commandline()


def _event_loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  # costs start-up time only where a worker runs

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop
