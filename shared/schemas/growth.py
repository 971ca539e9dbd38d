"""The rule by which the published schema may change: it grows, and only by nullable columns.

``python -m shared.schemas.growth`` prints the schema in the form that is kept as a snapshot in
tests/unit/shared/schemas/published.json. Take a new snapshot only when a version is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import types

from shared.schemas.published import PUBLISHED

Description = dict[str, dict[str, Any]]
"""By name, in order: type, whether nullable, and the members of a struct or list of structs."""


def described(fields: Iterable[pa.Field]) -> Description:
    """What of ``fields`` a reader may rely on."""
    description: Description = {}
    for field in fields:
        inner, is_list = field.type, types.is_list(field.type)
        if is_list:
            inner = inner.value_type
        entry: dict[str, Any] = {"nullable": field.nullable}
        if types.is_struct(inner):
            entry["type"] = "list of struct" if is_list else "struct"
            entry["members"] = described(inner.field(i) for i in range(inner.num_fields))
        else:
            entry["type"] = f"list of {inner}" if is_list else str(inner)
        description[field.name] = entry
    return description


def breaches(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> list[str]:
    """What in ``new`` would break a reader of ``old``; empty if only nullable columns came."""
    found = []
    for name, was in old.items():
        place = f"{where}{name}"
        now = new.get(name)
        if now is None:
            found.append(f"{place} is gone")
            continue
        if (was["type"], was["nullable"]) != (now["type"], now["nullable"]):
            found.append(f"{place} was {_words(was)} and is {_words(now)}")
        found += breaches(was.get("members", {}), now.get("members", {}), f"{place}.")
    found += [
        f"{where}{name} is new and not nullable"
        for name, now in new.items()
        if name not in old and not now["nullable"]
    ]
    kept = [name for name in new if name in old]
    if kept != [name for name in old if name in new]:
        found.append(f"{where or 'columns'} changed their order")
    return found


def _words(entry: Mapping[str, Any]) -> str:
    return f"{'nullable ' if entry['nullable'] else ''}{entry['type']}"


if __name__ == "__main__":
    print(json.dumps(described(PUBLISHED), indent=1))
