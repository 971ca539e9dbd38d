"""Who asks: the caller of a request, and what routes may require of one.

A route says what it needs by the type of its argument: ``caller: Anyone`` (public data, also
without a token where that is allowed), ``SignedIn``, ``Writer`` or ``Operator``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.portal.backends import Backends, BackendsOf
from services.portal.problems import ProblemError, forbidden

bearer = HTTPBearer(
    auto_error=False, description="`Authorization: Bearer tcn_...`; from `tocsin accounts token`"
)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tocsin"'}


class Role(StrEnum):
    """What an account is for; each may do what those before may."""

    READER = "reader"
    USER = "user"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What one token of an account may be used for."""

    READ = "read"
    WRITE = "write"
    OPERATE = "operate"


SCOPES_OF = {
    Role.READER: frozenset({Scope.READ}),
    Role.USER: frozenset({Scope.READ, Scope.WRITE}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.WRITE, Scope.OPERATE}),
}
"""The most that a token of an account of that role may do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``name`` is empty for a caller without a token."""

    name: str = ""
    role: Role = Role.READER
    groups: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = frozenset({Scope.READ})
    key: str = ""
    """What limits are counted by: the token's prefix, or the address."""

    @property
    def is_anonymous(self) -> bool:
        """Whether there was no token."""
        return not self.name

    @property
    def is_operator(self) -> bool:
        """Whether the caller may do everything."""
        return Scope.OPERATE in self.scopes

    @property
    def may_write(self) -> bool:
        """Whether the caller may make and change what is their own."""
        return Scope.WRITE in self.scopes and not self.is_anonymous

    def owns(self, owner: str | None, group: str | None = None) -> bool:
        """Whether something of that owner or group is the caller's to see and to change."""
        if self.is_operator:
            return True
        is_own = bool(self.name) and owner == self.name
        return is_own or (group is not None and group in self.groups)

    def may_see(self, *, is_public: bool, owner: str | None, group: str | None = None) -> bool:
        """Whether something is the caller's to see."""
        return is_public or self.owns(owner, group)

    def visible(self, **is_public: Any) -> dict[str, Any]:
        """MongoDB condition for documents with ``owner`` and ``group`` that the caller may see.

        ``is_public`` is the condition for a public one: ``caller.visible(visibility="public")``.
        """
        if self.is_operator:
            return {}
        either: list[dict[str, Any]] = [dict(is_public)]
        if self.name:
            either.append({"owner": self.name})
        if self.groups:
            either.append({"group": {"$in": sorted(self.groups)}})
        return {"$or": either}


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
