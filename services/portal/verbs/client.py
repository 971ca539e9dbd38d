"""A client of the portal for the console's verbs: where it is, whose token, errors in one line.

    with portal_client() as portal:
        filters = portal.get("/filters")["items"]

A verb's ``main`` wraps its work in ``carried_out``, which prints a `PortalError` and gives the
exit status.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import TocsinError

_API = "/api/v1"
_TOKEN_FILE = "operator-token"  # noqa: S105  # where it is, not what it is
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ClientSettings(BaseSettings):
    """Where the portal is, and who asks; variables begin with ``TOCSIN_``."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", frozen=True, extra="ignore")

    portal_url: str = Field("http://127.0.0.1:19116", title="The portal's address")
    token: SecretStr = Field(
        SecretStr(""), title="Token; if empty, the file that `tocsin up` has written"
    )
    state_dir: Path = Field(Path(".tocsin"), title="Folder of that file")
    portal_patience_s: float = Field(120.0, gt=0, title="Longest wait for an answer, seconds")


class PortalError(TocsinError):
    """The portal refused, or did not answer; the message is one line for the user.

    ``status`` is the HTTP status, 0 if there was none; ``problem`` its body (RFC 9457).
    """

    def __init__(
        self, message: str, status: int = 0, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = dict(problem or {})


class PortalClient:
    """Requests below ``/api/v1``, with the token in a header."""

    def __init__(self, settings: ClientSettings) -> None:
        self._url = settings.portal_url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if (token := token_of(settings)) else {}
        self._client = httpx.Client(
            base_url=self._url, headers=headers, timeout=settings.portal_patience_s,
            trust_env=httpx.URL(self._url).host not in _LOOPBACK,
        )  # fmt: skip

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close the connection."""
        self._client.close()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request; ``more`` is httpx's: ``json``, ``params``, ``content``, ``headers``.

        Raises
        ------
        PortalError
            If there is no answer, or it is a refusal.
        """
        try:
            response = self._client.request(method, f"{_API}{path}", **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PortalError(
                f"the portal does not answer at {self._url} ({error}). Is it running? tocsin status"
            ) from error
        if response.is_error:
            raise _refusal(response)
        return response

    def get(self, path: str, **params: Any) -> Any:
        """What GET gives, as JSON; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self.ask("GET", path, params=given).json()

    def post(self, path: str, body: Any = None) -> Any:
        """What POST gives, as JSON; None where there is nothing."""
        return _json_of(self.ask("POST", path, json=body))

    def put(self, path: str, body: Any = None) -> Any:
        """What PUT gives, as JSON; None where there is nothing."""
        return _json_of(self.ask("PUT", path, json=body))

    def delete(self, path: str) -> Any:
        """What DELETE gives, as JSON; None where there is nothing."""
        return _json_of(self.ask("DELETE", path))

    def all_pages(self, path: str, **params: Any) -> list[Any]:
        """The items of every page of a list."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **params)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


def portal_client() -> PortalClient:
    """A client with settings from the environment."""
    return PortalClient(ClientSettings())


def token_of(settings: ClientSettings) -> str:
    """The token that was set; else, for a portal on this machine, the one in the state folder."""
    if given := settings.token.get_secret_value().strip():
        return given
    if httpx.URL(settings.portal_url).host not in _LOOPBACK:
        return ""
    try:
        return (settings.state_dir / _TOKEN_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def carried_out(work: Callable[[], int]) -> int:
    """Carry out a verb; a `PortalError` becomes one line and exit status 2 (1 if not found)."""
    try:
        return work()
    except PortalError as error:
        print(error, file=sys.stderr)
        return 1 if error.status == httpx.codes.NOT_FOUND else 2


def segment(name: str) -> str:
    """A name as one part of a path, whatever is in it."""
    return quote(name, safe="")


def _json_of(response: httpx.Response) -> Any:
    return response.json() if response.content else None


def _refusal(response: httpx.Response) -> PortalError:
    try:
        problem = response.json()
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        problem, detail = {}, response.reason_phrase
    if response.status_code == httpx.codes.UNAUTHORIZED:
        detail += ": set TOCSIN_TOKEN, or TOCSIN_STATE_DIR to the folder of tocsin up"
    return PortalError(detail, response.status_code, problem)
