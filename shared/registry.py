"""Turns a literal tuple of named plug-ins into a dictionary, and refuses duplicates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Named(Protocol):
    """Anything with a ``name``: a survey, a catalog, a classifier, a notice type, a channel."""

    @property
    def name(self) -> str:
        """The registry key: snake_case, never changed once published."""
        ...


T = TypeVar("T", bound=Named)


def registry(entries: Iterable[T]) -> dict[str, T]:
    """Index ``entries`` by name, keeping their order.

    Raises
    ------
    ValueError
        If two entries bear the same name.
    """
    by_name: dict[str, T] = {}
    for entry in entries:
        if entry.name in by_name:
            raise ValueError(f"two registry entries are named {entry.name!r}; rename one of them")
        by_name[entry.name] = entry
    return by_name
