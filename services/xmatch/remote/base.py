"""The contract of a service elsewhere: how it is asked in bulk, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.errors import TocsinError


class RemoteError(TocsinError):
    """A service did not answer as it should; ``kind`` is a snake_case word that metrics count."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class MalformedAnswerError(RemoteError):
    """The answer is not what the protocol says: cut, of another form, or not about us."""

    def __init__(self, detail: str) -> None:
        super().__init__("malformed", detail)


class OverflowAnswerError(RemoteError):
    """The answer has as many rows as it may: some are missing, ask about fewer positions."""

    def __init__(self, detail: str) -> None:
        super().__init__("overflow", detail)


@dataclass(frozen=True, slots=True)
class Position:
    """A place to ask about; ``key`` comes back with what is there."""

    key: str
    """Text of digits, unique in a request."""
    ra_deg: float
    """ICRS, degrees."""
    dec_deg: float
    """ICRS, degrees."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source that a service knows, in the columns of a match."""

    ra_deg: float
    """ICRS, degrees."""
    dec_deg: float
    """ICRS, degrees."""
    source_id: str
    source_class: str | None = None
    redshift: float | None = None
    magnitude: float | None = None
    major_axis_arcsec: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a multipart/form-data POST."""

    data: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes, str]]
    """By field: file name, contents, content type."""


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """One table that a service can be asked for."""

    name: str
    """``catalog`` of its matches: snake_case, never changed once published."""
    title: str
    reference: str
    radius_arcsec: float
    """How far a source may be; the service's module says why."""
    identifier: str
    """The service's own name of it."""
    columns: Mapping[str, tuple[str, ...]]
    """Members of ``Source``: names that the service may give them, the first present counts."""


@dataclass(frozen=True, slots=True)
class RemoteService:
    """One service. Each module of this package that is one ends in one of these."""

    name: str
    title: str
    url: str
    """Where it is asked, unless a setting says otherwise."""
    reference: str
    licence: str
    most_positions: int
    """Most positions in one request, whatever the setting."""
    most_rows: int
    """Rows asked for at most; an answer so long has overflowed."""
    tables: Mapping[str, RemoteTable]
    request: Callable[[RemoteTable, Sequence[Position], float], Request]
    """Builds a request about positions within a radius in arcseconds."""
    read: Callable[[RemoteTable, bytes], Answer]
    """Reads the body of an answer; raises ``MalformedAnswerError``, ``OverflowAnswerError``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service knows, by the key of the position; a position without sources is absent."""

    sources: Mapping[str, Sequence[Source]]
    version: str | None = field(default=None)
    """What the service says of its own version, if it does."""
