"""Where the numbers, lengths, counts, branches and texts of an Avro record stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.packets.containers import read_varint

NUMBER, LENGTH, TEXT, COUNT, BRANCH, FLOAT, DOUBLE, BOOLEAN = range(8)
_PLAIN = {"int": NUMBER, "long": NUMBER, "enum": NUMBER, "float": FLOAT, "double": DOUBLE,
          "boolean": BOOLEAN}  # fmt: skip
MOST_VALUES = 50_000
"""Of a real record; nulls take no bytes, so a hostile count could go on for ever."""
_SIZES = {FLOAT: 4, DOUBLE: 8, BOOLEAN: 1}


class Place(NamedTuple):
    """One thing in a record: ``record[start:end]``."""

    kind: int
    start: int
    end: int


def places_of(schema: Any, record: bytes, most_values: int = MOST_VALUES) -> list[Place]:
    """Everything in a sound record, in order.

    Raises
    ------
    ValueError
        If the record is not one of that schema, or holds more than ``most_values``
        (``RejectedRecordError`` is raised for bytes that end, ``LookupError`` for branches that
        are not there).
    """
    walk = _Walk(record, most_values)
    walk.value(schema)
    if walk.at != len(record):
        raise ValueError(f"{len(record) - walk.at} bytes are left")
    return walk.places


class _Walk:
    def __init__(self, record: bytes, most_values: int) -> None:
        self.record = record
        self.at = 0
        self.places: list[Place] = []
        self.names: dict[str, Any] = {}
        self.left = self.most_values = most_values

    def number(self, kind: int) -> int:
        value, end = read_varint(self.record, self.at)
        self.places.append(Place(kind, self.at, end))
        self.at = end
        return value

    def fixed(self, kind: int, size: int) -> None:
        if not 0 <= size <= len(self.record) - self.at:
            raise ValueError(f"{size} bytes at {self.at}")
        self.places.append(Place(kind, self.at, self.at + size))
        self.at += size

    def value(self, schema: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"more than {self.most_values} values")
        if isinstance(schema, list):
            self.value(schema[self.branch(len(schema))])
            return
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(kind, dict | list):
            self.value(kind)
        elif kind == "record":
            self.remember(schema)
            for member in schema["fields"]:
                self.value(member["type"])
        elif kind in {"array", "map"}:
            self.array(schema)
        elif kind in {"string", "bytes"}:
            self.fixed(TEXT, self.number(LENGTH))
        elif kind == "fixed":
            self.remember(schema)
            self.fixed(TEXT, schema["size"])
        elif kind in _PLAIN:
            if kind == "enum":
                self.remember(schema)
            plain = _PLAIN[kind]
            if plain == NUMBER:
                self.number(NUMBER)
            else:
                self.fixed(plain, _SIZES[plain])
        elif kind != "null":
            self.value(self.names[kind.rpartition(".")[2]])

    def branch(self, branches: int) -> int:
        chosen = self.number(BRANCH)
        if not 0 <= chosen < branches:
            raise LookupError(f"branch {chosen} of {branches}")
        return chosen

    def array(self, schema: Any) -> None:
        for count in self.blocks():
            for _ in range(count):
                if schema["type"] == "map":
                    self.fixed(TEXT, self.number(LENGTH))
                self.value(schema["items" if schema["type"] == "array" else "values"])

    def blocks(self) -> Iterator[int]:
        while (count := self.number(COUNT)) != 0:
            if count < 0:
                self.number(LENGTH)
            yield abs(count)

    def remember(self, schema: Any) -> None:
        self.names[str(schema["name"]).rpartition(".")[2]] = schema
