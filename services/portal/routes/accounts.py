"""``/accounts``: who may use the portal; for operators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.portal.accounts import AccountError
from services.portal.backends import BackendsOf
from services.portal.callers import SCOPES_OF, Operator, Role, Scope
from services.portal.problems import ProblemError, not_found
from services.portal.routes.account import Token

router = APIRouter(prefix="/accounts", tags=["accounts"])

User = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$", description="Name of the account",
         examples=["vera"]),
]  # fmt: skip
Prefix = Annotated[str, Path(pattern="^[0-9a-f]{8}$", description="Eight digits after tcn_")]


class AccountGiven(BaseModel):
    """An account as an operator makes it."""

    model_config = ConfigDict(extra="forbid")

    role: Role = Field(Role.USER, title="What it is for")
    groups: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]] = Field(
        default_factory=list, max_length=100, title="Groups it belongs to", examples=[["novae"]]
    )


class AccountKept(BaseModel):
    """An account."""

    name: str = Field(title="Its name")
    role: str = Field(title="reader, user or operator")
    groups: list[str] = Field(title="Groups it belongs to")
    state: str = Field(title="active or closed")
    created_ms: int = Field(title="When it was made, Unix time, milliseconds")


class TokenGiven(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    scopes: list[Scope] | None = Field(
        None, max_length=3, title="What it may do; null for all that the role may"
    )
    days: float = Field(90.0, gt=0, le=3650, title="It ends after so many days")
    purpose: str = Field("", max_length=200, title="What it is for")


class TokenMade(BaseModel):
    """A new token. It is shown this once."""

    token: str = Field(title="The token itself: a secret")
    prefix: str = Field(title="By which it is known from now on")


@router.get("")
async def accounts(caller: Operator, backends: BackendsOf) -> list[AccountKept]:
    """All accounts, by name."""
    del caller
    return [
        AccountKept(name=one["_id"], **_kept(one)) for one in await backends.accounts.accounts()
    ]


@router.put("/{user}", status_code=204)
async def create(user: User, given: AccountGiven, caller: Operator, backends: BackendsOf) -> None:
    """Make an account, or give it another role and other groups."""
    del caller
    try:
        await backends.accounts.create(user, given.role.value, given.groups)
    except AccountError as error:
        raise ProblemError(422, str(error)) from error


@router.delete("/{user}", status_code=204)
async def close(user: User, caller: Operator, backends: BackendsOf) -> None:
    """Close an account: its tokens end within two seconds. What it owns stays."""
    if user == caller.name:
        raise ProblemError(409, "an operator does not close their own account")
    if not await backends.accounts.close_account(user):
        raise not_found(f"account {user}")


@router.get("/{user}/tokens")
async def tokens(user: User, caller: Operator, backends: BackendsOf) -> list[Token]:
    """An account's tokens, without their secrets."""
    del caller
    return [Token(**token) for token in await backends.accounts.tokens_of(user)]


@router.post("/{user}/tokens", status_code=201)
async def give_token(
    user: User, given: TokenGiven, caller: Operator, backends: BackendsOf
) -> TokenMade:
    """Make a token for an account."""
    del caller
    account = await backends.accounts.account(user)
    if account is None:
        raise not_found(f"account {user}")
    allowed = SCOPES_OF[Role(account["role"])]
    wanted = allowed if given.scopes is None else frozenset(given.scopes)
    if not wanted <= allowed:
        words = ", ".join(sorted(scope.value for scope in wanted - allowed))
        raise ProblemError(422, f"a {account['role']} may not have the scope {words}")
    scopes = sorted(scope.value for scope in wanted)
    token = await backends.accounts.give_token(user, scopes, given.days, given.purpose)
    return TokenMade(token=token.text, prefix=token.prefix)


@router.delete("/{user}/tokens/{prefix}", status_code=204)
async def revoke(user: User, prefix: Prefix, caller: Operator, backends: BackendsOf) -> None:
    """Revoke a token; it ends within two seconds."""
    del caller
    if not await backends.accounts.revoke(prefix, user):
        raise not_found(f"token {prefix} of {user}")


def _kept(account: dict[str, object]) -> dict[str, object]:
    return {name: account[name] for name in ("role", "groups", "state", "created_ms")}
