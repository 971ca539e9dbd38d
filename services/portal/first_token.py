"""The token that the one who starts a mesh finds in its state folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from services.portal.accounts import Accounts
from services.portal.identity import SCOPES_OF, Role
from services.portal.tokens import LONGEST_TOKEN

OPERATOR = "operator"
_DAYS = 3650.0


async def write_operator_token(accounts: Accounts, path: Path | None) -> None:
    """Write a token of the account ``operator`` to ``path``, unless a valid one is there.

    The file is the user's own alone (mode 0600).
    """
    if path is None:
        return
    known = await asyncio.to_thread(_read, path)
    account = await accounts.account_of(known) if known else None
    if account is not None and account["user"] == OPERATOR:
        return
    await accounts.create(OPERATOR, Role.OPERATOR.value, ())
    scopes = sorted(scope.value for scope in SCOPES_OF[Role.OPERATOR])
    token = await accounts.give_token(OPERATOR, scopes, _DAYS, f"written to {path.name}")
    await asyncio.to_thread(_write, path, token.text)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            return file.read(LONGEST_TOKEN + 2).strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    new.replace(path)
