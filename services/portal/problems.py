"""Errors as the API gives them: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from shared.errors import RejectedRecordError, TocsinError, UpstreamUnavailableError
from shared.filters.refusal import FilterRefusedError

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
_LONGEST_ECHO = 200


class Problem(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", title="Kind of problem")
    title: str = Field(title="The status in words")
    status: int = Field(title="HTTP status")
    detail: str = Field(title="What is wrong, and how to mend it")


class ProblemError(TocsinError):
    """Refuse a request: raise it anywhere below a route.

    Parameters
    ----------
    status
        HTTP status, 400 to 599.
    detail
        What is wrong, and how to mend it; shown to the caller.
    members
        Further members of the problem, such as ``line`` and ``column``.
    headers
        Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members
        self.headers = dict(headers or {})


def not_found(what: str) -> ProblemError:
    """404; also for what is there but not the caller's to see: they must look the same."""
    return ProblemError(404, f"there is no {what[:_LONGEST_ECHO]}")


def forbidden(detail: str) -> ProblemError:
    """403: known who asks, and it is not allowed."""
    return ProblemError(403, detail)


def problem_answer(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """The answer that a problem makes."""
    body = Problem(
        title=http.HTTPStatus(status).phrase, status=status, detail=_printable(detail), **members
    )
    return JSONResponse(
        body.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def _printable(detail: str) -> str:
    """Lone surrogates from outside cannot be written as UTF-8."""
    return detail.encode("utf-8", "backslashreplace").decode()


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(FilterRefusedError, _filter_refused)
    app.add_exception_handler(UpstreamUnavailableError, _unavailable)
    app.add_exception_handler(RejectedRecordError, _rejected)
    app.add_exception_handler(Exception, _bug)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101  # what it is registered for
    return problem_answer(error.status, error.detail, error.headers, **error.members)


async def _of_framework(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    return problem_answer(error.status_code, str(error.detail), error.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
    found = [
        {"at": ".".join(str(step) for step in entry["loc"]), "what": _printable(entry["msg"])}
        for entry in error.errors()[:20]
    ]
    detail = "; ".join(f"{one['at']}: {one['what']}" for one in found)
    return problem_answer(
        422, detail, errors=[{k: _printable(v) for k, v in one.items()} for one in found]
    )


async def _filter_refused(_: Request, error: Exception) -> Response:
    places = {
        name: getattr(error, name)
        for name in ("line", "column", "hint", "position")
        if getattr(error, name, None) is not None
    }
    return problem_answer(422, str(error), None, **places)


async def _unavailable(_: Request, error: Exception) -> Response:
    log.warning("portal_upstream_unavailable", error=str(error))
    return problem_answer(
        503, "a server behind the portal does not answer; try again soon", {"Retry-After": "5"}
    )


async def _rejected(_: Request, error: Exception) -> Response:
    return problem_answer(422, str(error))


async def _bug(request: Request, error: Exception) -> Response:
    # The path holds no token: those travel in a header only.
    log.error("portal_bug", path=request.url.path, exc_info=error)
    return problem_answer(500, "a bug in the portal; it has been logged")
