"""Filters in the database: one document per name and version, their states, who may see them.

The portal writes them, distribute reads those that are active and pauses those that fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from shared.filters.user_filter import UserFilter


class State(StrEnum):
    """Where in its life a version of a filter is."""

    DRAFT = "draft"
    """Checked, not run."""
    ACTIVE = "active"
    PAUSED = "paused"
    """Set aside, by its owner or because it broke its limits; ``reason`` says why."""
    RETIRED = "retired"
    """Over: a newer version runs, or none. Its topic stays until Kafka forgets it."""


BUILT_IN_VERSION = 0
"""Version of the filters of an operator's file, which distribute itself writes down."""
_OF_FILTER = ("name", "description", "select", "owner", "group", "survey", "version", "python",
              "retention_hours", "owner_groups")  # fmt: skip


def document_id(name: str, version: int) -> str:
    """``_id`` of a filter's version."""
    return f"{name}/{version}"


def to_document(each: UserFilter, state: State, now_ms: int, **more: Any) -> dict[str, Any]:
    """The document of a version."""
    return {
        "_id": document_id(each.name, each.version),
        **{field: getattr(each, field) for field in _OF_FILTER},
        "owner_groups": list(each.owner_groups),
        "visibility": "public" if each.is_public else "private",
        "state": state.value,
        "reason": "",
        "created_ms": now_ms,
        "activated_ms": now_ms if state is State.ACTIVE else None,
        **more,
    }


def from_document(document: Mapping[str, Any]) -> UserFilter:
    """The filter of a document.

    Raises
    ------
    ValueError
        If the document is none.
    """
    given = {field: document.get(field) for field in _OF_FILTER}
    is_public = document.get("visibility") == "public"
    return UserFilter(**{k: v for k, v in given.items() if v is not None}, is_public=is_public)
