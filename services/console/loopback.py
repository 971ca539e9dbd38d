"""Questions to our own processes over HTTP on loopback: never through a proxy, never for long."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from shared.local.server_process import LOOPBACK

_LARGEST_ANSWER_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Answer:
    """What a process said."""

    status: int
    text: str

    @property
    def is_yes(self) -> bool:
        """Whether the status is 200."""
        return self.status == http.client.OK


def ask(http_port: int, path: str, timeout_s: float = 2.0) -> Answer | None:
    """GET ``path`` from the process on this port; None if it does not answer in time."""
    connection = http.client.HTTPConnection(LOOPBACK, http_port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read(_LARGEST_ANSWER_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return Answer(response.status, text)
