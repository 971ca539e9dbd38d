"""``/account``: who the caller is, and the caller's own tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.portal.backends import BackendsOf
from services.portal.callers import SignedIn, Writer
from services.portal.problems import not_found

router = APIRouter(prefix="/account", tags=["account"])


class Account(BaseModel):
    """Who asks."""

    name: str = Field(title="Name of the account", examples=["vera"])
    role: str = Field(title="reader, user or operator", examples=["user"])
    groups: list[str] = Field(title="Groups it belongs to", examples=[["novae"]])
    scopes: list[str] = Field(title="What this token may do", examples=[["read", "write"]])


class Token(BaseModel):
    """A token, without its secret."""

    prefix: str = Field(title="Its eight digits after tcn_", examples=["9f86d081"])
    scopes: list[str] = Field(title="What it may do")
    purpose: str = Field("", title="What it was made for")
    created_ms: int = Field(title="When it was made, Unix time, milliseconds")
    expires_ms: int = Field(title="When it ends, Unix time, milliseconds")
    last_used_ms: int | None = Field(None, title="When it was last used, to the minute")
    revoked_ms: int | None = Field(None, title="When it was revoked")


@router.get("")
async def account(caller: SignedIn) -> Account:
    """Who the caller is, and what the token may do."""
    return Account(
        name=caller.name,
        role=caller.role.value,
        groups=sorted(caller.groups),
        scopes=sorted(scope.value for scope in caller.scopes),
    )


@router.get("/tokens")
async def tokens(caller: SignedIn, backends: BackendsOf) -> list[Token]:
    """The caller's tokens, oldest first."""
    return [Token(**token) for token in await backends.accounts.tokens_of(caller.name)]


@router.delete("/tokens/{prefix}", status_code=204)
async def revoke(
    prefix: Annotated[str, Path(pattern="^[0-9a-f]{8}$")], caller: Writer, backends: BackendsOf
) -> None:
    """Revoke a token of the caller's own; it ends within two seconds, everywhere."""
    if not await backends.accounts.revoke(prefix, caller.name):
        raise not_found(f"token {prefix} of yours")
