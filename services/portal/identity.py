"""Who a caller is, and what one may see: no HTTP in here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
