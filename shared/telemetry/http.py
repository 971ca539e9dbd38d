"""``/metrics``, ``/live`` and ``/ready`` of one process."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.telemetry.health import Progress


class HealthServer:
    """A small HTTP server that only answers GET, bound to the address it is told."""

    def __init__(
        self, registry: CollectorRegistry, progress: Progress, host: str, port: int
    ) -> None:
        self._registry = registry
        self._progress = progress
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; does nothing where the port is 0."""
        if self._port == 0:
            return
        app = web.Application(client_max_size=1024)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/live", self._live)
        app.router.add_get("/ready", self._ready)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _live(self, _: web.Request) -> web.Response:
        stuck = self._progress.stuck()
        answer = {"live": not stuck, "stuck": stuck, "waits_for": self._progress.waits_for}
        return web.json_response(answer, status=503 if stuck else 200)

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._progress.is_ready
        return web.json_response({"ready": ready}, status=200 if ready else 503)
