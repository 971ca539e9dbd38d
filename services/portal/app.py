"""The application: guards, routes, and what happens at the start and at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware

from services.portal import problems
from services.portal.backends import Backends
from services.portal.etags import ETags
from services.portal.first_token import write_operator_token
from services.portal.guards import Guards
from services.portal.routes import API_ROUTERS, ROOT_ROUTERS
from services.portal.settings import PortalSettings
from shared.errors import UpstreamUnavailableError

log = structlog.get_logger()
API = "/api/v1"
_RETRY_S = 2.0
_ABOUT = """\
Everything [Tocsin](/) knows: objects and their light curves, alerts, cutouts, cross-matches,
classifications, events of other messengers and their counterparts, filters and streams.

Positions are ICRS degrees, times modified Julian dates (TAI) unless a name says otherwise, fluxes
AB nanojansky. Lists come in pages: `limit`, and `cursor` with the `next_cursor` of the page
before. Errors are `application/problem+json` (RFC 9457).
"""


def create_app(settings: PortalSettings) -> FastAPI:
    """The portal; connects to nothing before it is started."""
    backends = Backends.of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        preparing = asyncio.create_task(_prepare(app, backends))
        try:
            yield
        finally:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
            await backends.close()

    app = FastAPI(
        title="Tocsin",
        version="1",
        description=_ABOUT,
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={
            status: {"model": problems.Problem, "description": meaning}
            for status, meaning in {
                401: "No valid token", 403: "Not allowed", 404: "Not there, or not yours to see",
                422: "Bad request", 429: "Too much", 503: "Try again soon",
            }.items()
        },
    )  # fmt: skip
    app.state.backends = backends
    app.state.is_ready = False
    problems.install(app)
    for router in API_ROUTERS:
        app.include_router(router, prefix=API)
    for router in ROOT_ROUTERS:
        app.include_router(router)
    app.add_middleware(ETags)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    if settings.cors_origins():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins(),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        )
    app.add_middleware(Guards, backends=backends)
    return app


async def _prepare(app: FastAPI, backends: Backends) -> None:
    """Indexes and the operator's token; ready when the database has answered."""
    while True:
        try:
            await backends.store.prepare()
            await write_operator_token(
                backends.accounts, backends.settings.portal_operator_token_file
            )
        except UpstreamUnavailableError as error:
            log.warning("portal_waits_for_database", error=str(error))
            await asyncio.sleep(_RETRY_S)
        else:
            app.state.is_ready = True
            return
