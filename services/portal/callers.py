"""Who asks: the caller of a request, and what routes may require of one.

A route says what it needs by the type of its argument: ``caller: Anyone`` (public data, also
without a token where that is allowed), ``SignedIn``, ``Writer`` or ``Operator``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.portal.backends import Backends, BackendsOf
from services.portal.identity import SCOPES_OF, Caller, Role, Scope
from services.portal.problems import ProblemError, forbidden

__all__ = [
    "SCOPES_OF", "AnyCaller", "Anyone", "Caller", "Operator", "Role", "Scope", "SignedIn", "Writer",
    "address_of", "anyone", "operator", "signed_in", "writer",
]  # fmt: skip

bearer = HTTPBearer(
    auto_error=False, description="`Authorization: Bearer tcn_...`; from `tocsin accounts token`"
)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tocsin"'}


async def _caller(
    request: Request,
    backends: BackendsOf,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
) -> Caller:
    """The caller; what is not a valid token is refused, never taken for anonymous."""
    address = address_of(request)
    if given is None:
        if request.headers.get("authorization"):
            raise _refused(backends, address)
        return Caller(key=address)
    account = await backends.accounts.account_of(given.credentials)
    if account is None:
        raise _refused(backends, address)
    role = Role(account["role"])
    granted = frozenset(Scope(scope) for scope in account["scopes"] if scope in set(Scope))
    return Caller(
        name=account["user"],
        role=role,
        groups=frozenset(account["groups"]),
        scopes=granted & SCOPES_OF[role],
        key=account["prefix"],
    )


def _refused(backends: Backends, address: str) -> ProblemError:
    backends.limits.failed(address)
    return ProblemError(401, "the token is not valid, or no longer", headers=_CHALLENGE)


def address_of(request: Request) -> str:
    """The peer's address; behind a proxy, what uvicorn was told to believe of it."""
    return request.client.host if request.client else "unknown"


AnyCaller = Annotated[Caller, Depends(_caller)]


async def anyone(caller: AnyCaller, backends: BackendsOf) -> Caller:
    """Everyone with a token that may read, and without one where that is allowed."""
    if caller.is_anonymous and not backends.settings.anonymous_may_read:
        raise ProblemError(401, "a token is needed here", headers=_CHALLENGE)
    return _with_scope(caller, Scope.READ)


async def signed_in(caller: AnyCaller) -> Caller:
    """Everyone with a token that may read."""
    if caller.is_anonymous:
        raise ProblemError(401, "a token is needed here", headers=_CHALLENGE)
    return _with_scope(caller, Scope.READ)


async def writer(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """Users and operators with a token that may write."""
    return _with_scope(caller, Scope.WRITE)


async def operator(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """Operators with a token that may operate."""
    return _with_scope(caller, Scope.OPERATE)


def _with_scope(caller: Caller, scope: Scope) -> Caller:
    if scope not in caller.scopes:
        raise forbidden(f"this needs a token with the scope {scope.value!r}")
    return caller


Anyone = Annotated[Caller, Depends(anyone)]
SignedIn = Annotated[Caller, Depends(signed_in)]
Writer = Annotated[Caller, Depends(writer)]
Operator = Annotated[Caller, Depends(operator)]
