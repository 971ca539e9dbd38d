"""Accounts and tokens, in the document database."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from services.portal.tokens import NewToken, has_form, new_token, sha256_of
from shared.errors import TocsinError
from shared.store import Collection, Document, Store

USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", re.ASCII)
GROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REMEMBERED_S = 2.0
"""So long a token goes on being valid after it is revoked."""
_USED_EVERY_S = 60.0
_MOST_REMEMBERED = 10_000


class AccountError(TocsinError):
    """What was asked of an account cannot be done; the message says why."""


class Accounts:
    """Who may use the portal."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._remembered: dict[str, tuple[float, dict[str, Any] | None]] = {}
        self._used: dict[str, float] = {}

    async def account_of(self, token: str) -> dict[str, Any] | None:
        """Who a token is of: ``user``, ``role``, ``groups``, ``scopes``, ``prefix``; or None.

        Raises
        ------
        UpstreamUnavailableError
            If the database does not answer.
        """
        if not has_form(token):
            return None
        sha256 = sha256_of(token)
        now_s = time.monotonic()
        known = self._remembered.get(sha256)
        if known is None or now_s - known[0] > _REMEMBERED_S:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            known = (now_s, await self._look_up(sha256))
            self._remembered[sha256] = known
        account = known[1]
        if account is None or account["expires_ms"] <= time.time() * 1000:
            return None
        await self._note_use(sha256, now_s)
        return account

    async def _look_up(self, sha256: str) -> dict[str, Any] | None:
        token = await self._store.find_one(Collection.TOKENS, {"_id": sha256})
        if token is None or not hmac.compare_digest(str(token["_id"]), sha256):
            return None
        account = await self._store.find_one(Collection.ACCOUNTS, {"_id": token["user"]})
        if account is None or account["state"] != "active" or token.get("revoked_ms"):
            return None
        return {
            "user": account["_id"],
            "role": account["role"],
            "groups": list(account["groups"]),
            "scopes": list(token["scopes"]),
            "prefix": token["prefix"],
            "expires_ms": token["expires_ms"],
        }

    async def _note_use(self, sha256: str, now_s: float) -> None:
        """Keep when a token was last used, to the minute."""
        if now_s - self._used.get(sha256, -_USED_EVERY_S) < _USED_EVERY_S:
            return
        if len(self._used) >= _MOST_REMEMBERED:
            self._used.clear()
        self._used[sha256] = now_s
        used = {"$set": {"last_used_ms": int(time.time() * 1000)}}
        await self._store.update(Collection.TOKENS, {sha256: used})

    async def create(self, user: str, role: str, groups: Iterable[str]) -> None:
        """Make an account, or give one that is there another role and other groups.

        Raises
        ------
        AccountError
            If a name is not one.
        """
        if USER_NAME.fullmatch(user) is None:
            raise AccountError(f"{user!r}: a name is letters, digits and . _ @ + -, at most 100")
        names = sorted(set(groups))
        for group in names:
            if GROUP_NAME.fullmatch(group) is None:
                raise AccountError(f"{group!r}: a group is letters, digits and . _ -, at most 64")
        now_ms = int(time.time() * 1000)
        changed = {"role": role, "groups": names, "state": "active"}
        await self._store.upsert(
            Collection.ACCOUNTS,
            {user: {"$set": changed, "$setOnInsert": {"created_ms": now_ms}}},
        )
        self._remembered.clear()

    async def accounts(self) -> list[Document]:
        """All accounts, by name."""
        return await self._store.find(Collection.ACCOUNTS, {}, sort=[("_id", 1)], limit=10_000)

    async def account(self, user: str) -> Document | None:
        """One account."""
        return await self._store.find_one(Collection.ACCOUNTS, {"_id": user})

    async def tokens_of(self, user: str) -> list[Document]:
        """The tokens of an account, without their hashes."""
        found = await self._store.find(
            Collection.TOKENS, {"user": user}, sort=[("created_ms", 1)], limit=1000
        )
        return [{k: v for k, v in token.items() if k != "_id"} for token in found]

    async def give_token(
        self, user: str, scopes: Sequence[str], days: float, purpose: str = ""
    ) -> NewToken:
        """Make a token for an account.

        Raises
        ------
        AccountError
            If there is no such account.
        """
        if await self.account(user) is None:
            raise AccountError(f"there is no account {user!r}: tocsin accounts create {user}")
        token = new_token()
        now_ms = int(time.time() * 1000)
        document = {
            "_id": token.sha256, "prefix": token.prefix, "user": user, "scopes": list(scopes),
            "purpose": purpose[:200], "created_ms": now_ms,
            "expires_ms": now_ms + int(days * 86_400_000), "last_used_ms": None,
            "revoked_ms": None,
        }  # fmt: skip
        await self._store.insert(Collection.TOKENS, [document])
        return token

    async def revoke(self, prefix: str, user: str | None = None) -> int:
        """Revoke the tokens with that prefix, of ``user`` or of anyone; how many there were."""
        query: dict[str, Any] = {"prefix": prefix, "revoked_ms": None}
        if user is not None:
            query["user"] = user
        found = await self._store.find(Collection.TOKENS, query, fields=["_id"])
        at = {"$set": {"revoked_ms": int(time.time() * 1000)}}
        await self._store.update(Collection.TOKENS, {one["_id"]: at for one in found})
        self._remembered.clear()
        return len(found)

    async def close_account(self, user: str) -> bool:
        """Close an account: none of its tokens works any more. Whether there was one."""
        if await self.account(user) is None:
            return False
        await self._store.update(Collection.ACCOUNTS, {user: {"$set": {"state": "closed"}}})
        self._remembered.clear()
        return True
