"""A filter as its owner writes it: a text with a name, in a TOML file or in the database."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.filters.match import where_of_match
from shared.filters.syntax import MAX_FILTER_BYTES

MAX_FILE_BYTES = 4 * 1024 * 1024
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"


class UserFilter(BaseModel):
    """One filter. Its alerts go to the topic ``out.<name>``.

    What it asks is given in one of three ways: ``select`` (SQL, whole or only what follows WHERE;
    ``where`` is another name for it), ``match`` (a Mongo-style document), or ``python``, with or
    without a ``select``, which then narrows it further and says what is sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, title="Name, part of its topic's name")
    description: str = Field(min_length=1, max_length=2000, title="What it is for, in words")
    select: str = Field(
        min_length=1, max_length=MAX_FILTER_BYTES, title="SELECT columns FROM alerts WHERE ..."
    )
    owner: str = Field(min_length=1, max_length=200, title="Who answers for it")
    group: str | None = Field(None, max_length=200, title="Group that may see and change it too")
    is_public: bool = Field(True, title="Whether others may see it and read its topic")
    owner_groups: tuple[str, ...] = Field(
        (), title="Groups the owner was in when it was activated: for surveys that are private"
    )
    survey: str | None = Field(None, title="Survey it is for; null for every one it fits")
    is_active: bool = Field(True, title="Whether it runs")
    version: int = Field(1, ge=1, title="Counted from 1; a new text is a new version")
    retention_hours: float | None = Field(
        None, gt=0, le=24 * 365, title="Hours its topic keeps a message; null for the usual"
    )
    python: str | None = Field(None, title="Function of shared.filters.python it must also pass")

    @model_validator(mode="before")
    @classmethod
    def _one_text(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        written = dict(given)
        where, match = written.pop("where", None), written.pop("match", None)
        texts = [text for text in (written.get("select"), where, match) if text is not None]
        if len(texts) > 1:
            raise ValueError("give one of select, where and match")
        if match is not None:
            written["select"] = where_of_match(match)
        elif where is not None:
            written["select"] = where
        elif written.get("python") and not texts:
            written["select"] = "true"
        return written


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; both count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FilterFileError(Exception):
    """The file is not a list of filters; the message says where and why."""


def read_filters(path: Path) -> list[UserFilter]:
    """The filters of a TOML file: ``[[filter]]`` tables.

    Raises
    ------
    FilterFileError
        If the file cannot be read, is not TOML, or a filter lacks or misnames a field.
    """
    tables = _toml(path).get("filter")
    if not isinstance(tables, list):
        raise FilterFileError(f"{path}: no [[filter]] table")
    filters = []
    for number, table in enumerate(tables, start=1):
        try:
            filters.append(UserFilter.model_validate(table))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            name = table.get("name", f"number {number}") if isinstance(table, dict) else number
            raise FilterFileError(f"{path}: filter {name}: {field}: {first['msg']}") from error
    names = [each.name for each in filters]
    for name in names:
        if names.count(name) > 1:
            raise FilterFileError(f"{path}: two filters are named {name!r}; rename one of them")
    return filters


def read_filter_text(path: Path) -> str:
    """The text of a filter's file; a byte order mark before it is left out.

    Raises
    ------
    FilterFileError
        If it is no file (a pipe would never end), too large, or not UTF-8.
    """
    try:
        if path.is_dir() or (path.exists() and not path.is_file()):
            raise FilterFileError(f"{path}: is no file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise FilterFileError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise FilterFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FilterFileError(
            f"{path}: byte {error.start + 1} is not UTF-8; save it as a text in UTF-8"
        ) from error


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_filter_text(path))
    except tomllib.TOMLDecodeError as error:
        raise FilterFileError(f"{path}: not TOML: {error}") from error
    except RecursionError:
        raise FilterFileError(f"{path}: nested too deep") from None


def place_in_file(path: Path, text: str, select: str, name: str, position: int) -> Place:
    """Line and column in the file's ``text`` of character ``position`` of a filter's text."""
    named = re.search(rf"^\s*name\s*=\s*[\"']{re.escape(name)}[\"']", text, re.MULTILINE)
    start = text.find(select, named.start() if named else 0)
    if start < 0:  # the TOML has escapes: the clause's own lines are the best there is
        start, text = 0, select
    before = text[: start + position]
    return Place(str(path), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
