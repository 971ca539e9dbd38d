"""What a panel is: a question in words, and the query that answers it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes
    ----------
    title, description
        What it shows, and how to read it.
    unit
        Grafana's name of the unit: ``s``, ``short``, ``reqps``, ``percentunit``, ``bytes``, ``µs``.
    queries
        Expression and legend of each.
    kind
        ``lines`` over time, or ``number`` now.
    """

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "lines"


@dataclass(frozen=True)
class Row:
    """Panels side by side under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard; ``name`` is its file and its address."""

    name: str
    title: str
    rows: tuple[Row, ...]


def or_zero(expression: str) -> str:
    """The same, and 0 instead of nothing where it has never happened."""
    return f"{expression} or vector(0)"
