"""uvicorn, with limits of its own: what a server must refuse before there is a request."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.portal.settings import PortalSettings

_MOST_HEADER_BYTES = 32 * 1024


def patient_protocol(seconds: float) -> type[H11Protocol]:
    """Uvicorn's HTTP/1.1, but a connection that has not sent a whole request's headers is closed.

    uvicorn's own keep-alive time-out begins after a first answer, so that a client that sends a
    byte now and then could hold a connection for ever.
    """

    class PatientProtocol(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_headers()

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self._forget()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing() and (
                self.cycle is None or self.cycle.response_complete
            ):
                self._await_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _await_headers(self) -> None:
            self._forget()
            self._deadline = self.loop.call_later(seconds, self._give_up)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _give_up(self) -> None:
            if self.transport is not None and not self.transport.is_closing():
                self.transport.close()

    return PatientProtocol


def server_of(app: FastAPI, settings: PortalSettings) -> uvicorn.Server:
    """The server; ``serve()`` it."""
    config = uvicorn.Config(
        app,
        host=settings.portal_host,
        port=settings.http_port,
        http=patient_protocol(settings.portal_header_seconds),
        ws="none",
        loop="uvloop",
        log_config=None,
        access_log=False,  # paths say what people look at
        server_header=False,
        limit_concurrency=settings.portal_connections,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
    )
    return uvicorn.Server(config)
