"""Labels from a CSV file: one statement a line, refused lines with their number and the cure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.labels.class_names import class_of
from shared.schemas.label import Label

MAX_BYTES = 64 * 2**20
REQUIRED = ("object_id", "class_name")
_ALSO = {"class": "class_name", "label": "class_name", "type": "class_name", "z": "redshift",
         "ra": "ra_deg", "dec": "dec_deg", "said_at": "said_ms"}  # fmt: skip
"""Other headings that are understood."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no label."""

    line: int
    """Counted from 1, the heading's."""
    why: str


@dataclass(frozen=True, slots=True)
class LabelDefaults:
    """What a file leaves out."""

    source: str
    author: str
    now_ms: int
    """When the labels are taken in, Unix time, milliseconds."""


def read_label_file(path: Path, defaults: LabelDefaults) -> tuple[list[Label], list[RefusedLine]]:
    """Labels of a CSV file with a heading.

    Raises
    ------
    ValueError
        If it is no such file, is too large, or lacks ``object_id`` or ``class_name``.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES // 2**20} MiB; split it")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text: {error}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    heading = [_ALSO.get(name.strip(), name.strip()) for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in heading]
    if missing:
        raise ValueError(
            f"{path} has no column {' or '.join(missing)}; its first line must name the columns,"
            " e.g. object_id,class_name,source,confidence,said_at"
        )
    unknown = [name for name in heading if name not in Label.model_fields]
    if unknown:
        raise ValueError(f"{path}: column {unknown[0]!r} is not one of a label's; leave it out")
    reader.fieldnames = heading
    labels, refused = [], []
    try:
        for row in reader:
            try:
                labels.append(_label_of(row, defaults))
            except ValueError as error:
                refused.append(RefusedLine(reader.line_num, _short(error)))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    return labels, refused


def _label_of(row: Mapping[str, Any], defaults: LabelDefaults) -> Label:
    if None in row or None in row.values():
        raise ValueError("has not as many fields as the first line")
    given = {name: text.strip() for name, text in row.items() if text and text.strip()}
    if "class_name" in given and class_of(given["class_name"]) is None:
        raise ValueError(f"no class of ours is meant by {given['class_name']!r}")
    said = given.pop("said_ms", None)
    fields: dict[str, Any] = {"source": defaults.source, "author": defaults.author, **given}
    fields["said_ms"] = defaults.now_ms if said is None else _milliseconds(said)
    fields["taken_ms"] = defaults.now_ms
    return Label.model_validate(fields, strict=False)


def _milliseconds(text: str) -> int:
    """Unix milliseconds, or ISO 8601 (UTC unless it says otherwise), as Unix milliseconds."""
    if text.isdigit():
        return int(text)
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp() * 1000)


def _short(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
