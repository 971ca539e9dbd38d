"""A writer's schema and a projection, compiled to the kernel's instruction table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from services.ingest.avro import instructions as op

MAX_INSTRUCTIONS = 20_000
"""LSST 11.1 needs about 600; named types that refer to each other can grow without bound."""
MAX_DEPTH = 32
MAX_VALUES_PER_BYTE = 4
"""Of an array's items, if fastavro must make objects of them: nulls take no bytes at all."""


class UnsupportedSchemaError(Exception):
    """The compiled path cannot read this schema, or it lacks what the projection needs."""


class TooMuchAtOnceError(Exception):
    """These packets would take too much memory together; decode fewer of them at a time."""


class SlowSchemaError(UnsupportedSchemaError):
    """Sound and bounded, but only fastavro can read what is wanted of it."""


@dataclass(frozen=True)
class Projection:
    """What a survey wants of its packets; everything else is skipped, cutouts first of all."""

    scalars: tuple[str, ...]
    """Dotted paths from the top record, e.g. ``candidate.jd``."""
    lists: Mapping[str, tuple[str, ...]]
    """Top-level arrays of records, and the members wanted of each."""
    present: tuple[str, ...] = ()
    """Paths of optional records of which only the presence matters."""
    required: tuple[str, ...] = ()
    """Those of ``scalars`` without which a schema is refused."""


@dataclass(frozen=True)
class Column:
    """One projected column, and the row of the raw arrays it is written to."""

    name: str
    kind: int
    row: int


@dataclass(frozen=True)
class Program:
    """The instruction table of one writer's schema, and where its columns are written to."""

    ops: npt.NDArray[np.int64]
    """Shape (instructions, 4): operation and its operands a, b, c."""
    jumps: npt.NDArray[np.int64]
    """Branch targets of general unions."""
    scalars: Mapping[str, Column]
    lists: Mapping[str, Mapping[str, Column]]
    list_order: tuple[str, ...]
    scalar_rows: int
    list_rows: int


_PRIMITIVES = {
    "int": (op.INT, op.KIND_INT),
    "long": (op.LONG, op.KIND_LONG),
    "float": (op.FLOAT, op.KIND_FLOAT),
    "double": (op.DOUBLE, op.KIND_DOUBLE),
    "boolean": (op.BOOLEAN, op.KIND_BOOLEAN),
    "string": (op.STRING, op.KIND_STRING),
    "bytes": (op.STRING, op.KIND_STRING),
}
_FIXED_SIZES = {"float": 4, "double": 8, "boolean": 1}
_LEAST_BYTES = {"null": 0, "float": 4, "double": 8}


@dataclass
class _Compiler:
    projection: Projection
    ops: list[list[int]] = field(default_factory=list)
    jumps: list[int] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    open_names: set[str] = field(default_factory=set)
    columns: list[tuple[int, str, int, int]] = field(default_factory=list)
    """(list or -1, name, kind, instruction)."""
    barrier: int = 0
    """Instructions before this one are jumped to: a run must not be joined across."""
    list_order: list[str] = field(default_factory=list)
    slow: dict[str, str] = field(default_factory=dict)
    """Wanted paths that only fastavro can read, and why."""
    values: int = 0
    dear: str = ""
    """Path of an array with more than ``MAX_VALUES_PER_BYTE``, if there is one."""

    def emit(self, code: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        if len(self.ops) >= MAX_INSTRUCTIONS:
            raise UnsupportedSchemaError(f"more than {MAX_INSTRUCTIONS} instructions")
        self.ops.append([code, a, b, c])
        return len(self.ops) - 1

    def here(self) -> int:
        self.barrier = len(self.ops)
        return self.barrier

    def skip(self, code: int, a: int, b: int, c: int = 0) -> None:
        """Emit a run, or make the run before it longer."""
        if len(self.ops) > self.barrier:
            last = self.ops[-1]
            if last[0] == code and last[1] == a and last[3] == c:
                last[2] += b
                return
        self.emit(code, a, b, c)

    # Each of these emits the reading of one value and returns its least size in bytes.

    def value(self, schema: Any, path: str, in_list: int, depth: int, namespace: str) -> int:
        self.values += 1
        if self.values > MAX_INSTRUCTIONS:
            raise UnsupportedSchemaError(f"more than {MAX_INSTRUCTIONS} values, written out")
        if depth > MAX_DEPTH:
            raise UnsupportedSchemaError(f"nested more than {MAX_DEPTH} deep at {path!r}")
        if isinstance(schema, list):
            return self.union(schema, path, in_list, depth, namespace)
        kind = schema.get("type") if isinstance(schema, dict) else schema
        if isinstance(kind, dict | list):
            return self.value(kind, path, in_list, depth + 1, namespace)
        if not isinstance(kind, str):
            raise UnsupportedSchemaError(f"no type at {path!r}")
        if kind in _PRIMITIVES:
            return self.primitive(kind, path, in_list, null_branch=-1)
        if kind == "null":
            return 0
        if isinstance(schema, dict) and kind in {"record", "error", "enum", "fixed"}:
            return self.named(schema, path, in_list, depth, namespace)
        if isinstance(schema, dict) and kind in {"array", "map"}:
            return self.array(schema, path, in_list, depth, namespace)
        known = self.names.get(kind) or self.names.get(f"{namespace}.{kind}")
        if known is None:
            raise UnsupportedSchemaError(f"unknown type {kind!r} at {path!r}")
        return self.named(known[0], path, in_list, depth, known[1])

    def primitive(self, kind: str, path: str, in_list: int, null_branch: int) -> int:
        code, column_kind = _PRIMITIVES[kind]
        optional = null_branch >= 0
        if self.is_wanted(path, in_list):
            if in_list >= 0 and column_kind == op.KIND_STRING:
                code, column_kind = op.SHORT_STRING, op.KIND_SHORT_STRING
            shift = op.OPTIONAL if optional else 0
            at = self.emit(code + shift, -1, max(null_branch, 0), in_list)
            name = path.rpartition(".")[2] if in_list >= 0 else path
            self.columns.append((in_list, name, column_kind, at))
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
            if optional:
                self.skip(op.SKIP_OPTIONAL_BYTES, size, 1, null_branch)
            else:
                self.skip(op.SKIP_BYTES, 0, size)
        elif kind in {"int", "long"}:
            self.skip(op.SKIP_OPTIONAL_NUMBERS if optional else op.SKIP_NUMBERS, 0, 1, null_branch)
        else:
            self.skip(op.SKIP_OPTIONAL_STRINGS if optional else op.SKIP_STRINGS, 0, 1, null_branch)
        return 1 if optional else _LEAST_BYTES.get(kind, 1)

    def is_wanted(self, path: str, in_list: int) -> bool:
        if in_list < 0:
            return path in self.projection.scalars
        name, _, member = path.partition(".")
        return member in self.projection.lists[name]

    def union(self, branches: list[Any], path: str, in_list: int, depth: int, space: str) -> int:
        if not branches:
            raise UnsupportedSchemaError(f"an empty union at {path!r}")
        if in_list >= 0 and path in self.projection.lists:
            # An item that is null would leave its columns unwritten.
            self.slow[path] = "a list whose items are not all records"
        if len(branches) == 2 and "null" in branches:
            null_branch = branches.index("null")
            other = branches[1 - null_branch]
            kind = other.get("type") if isinstance(other, dict) else other
            if isinstance(kind, str) and kind in _PRIMITIVES:
                return self.primitive(kind, path, in_list, null_branch)
            test = self.emit(op.NULL_OR_NEXT, 0, null_branch)
            self.value(other, path, in_list, depth + 1, space)
            self.ops[test][1] = self.here()
            return 1
        if self.is_wanted(path, in_list):
            self.slow[path] = "a union of several types"
        first = len(self.jumps)
        self.jumps.extend([0] * len(branches))
        self.emit(op.UNION, first, len(branches))
        ends = []
        for index, branch in enumerate(branches):
            self.jumps[first + index] = self.here()
            self.value(branch, path, in_list, depth + 1, space)
            ends.append(self.emit(op.JUMP))
        for end in ends:
            self.ops[end][1] = self.here()
        return 1

    def named(self, schema: Any, path: str, in_list: int, depth: int, namespace: str) -> int:
        space = str(schema.get("namespace", namespace))
        name = str(schema.get("name"))
        full = name if "." in name else f"{space}.{name}"
        space = full.rpartition(".")[0]
        self.names[full] = (schema, space)
        if schema["type"] == "enum":
            if self.is_wanted(path, in_list):
                self.slow[path] = "an enum"
            self.emit(op.ENUM, 0, len(schema.get("symbols", ())))
            return 1
        if schema["type"] == "fixed":
            size = int(schema.get("size", 0))
            if not 0 <= size < 1 << 31:
                raise UnsupportedSchemaError(f"a fixed of {size} bytes")
            self.skip(op.SKIP_BYTES, 0, size)
            return size
        if full in self.open_names:
            raise UnsupportedSchemaError(f"{full} contains itself")
        self.open_names.add(full)
        if in_list < 0 and path in self.projection.present:
            self.columns.append((-1, path, op.KIND_BOOLEAN, self.emit(op.PRESENT, -1)))
        least = 0
        for member in schema["fields"]:
            inner = f"{path}.{member['name']}" if path else str(member["name"])
            least += self.value(member["type"], inner, in_list, depth + 1, space)
        self.open_names.discard(full)
        return least

    def array(self, schema: Any, path: str, in_list: int, depth: int, namespace: str) -> int:
        is_map = schema["type"] == "map"
        listed = -1
        if in_list < 0 and not is_map and path in self.projection.lists:
            if path in self.list_order:  # WINTER's real schema has two fields of one name
                self.slow[path] = "there twice"
            listed = len(self.list_order)
            self.list_order.append(path)
        begin = self.emit(op.ARRAY_BEGIN, listed)
        first = self.here()
        if is_map:
            self.skip(op.SKIP_STRINGS, 0, 1)
        # Inside an array that is not wanted, no path matches: "[]" is in nobody's projection.
        inner = path if listed >= 0 else f"{path}[]"
        nested = listed if listed >= 0 else (in_list if in_list >= 0 else -1)
        items = schema["values" if is_map else "items"]
        before = self.values
        least = self.value(items, inner, nested, depth + 1, namespace) + is_map
        if least == 0:
            raise UnsupportedSchemaError(f"items of no bytes in {path!r}")
        if self.values - before > MAX_VALUES_PER_BYTE * least:
            self.dear = path
        self.emit(op.ARRAY_NEXT, listed, first, least)
        self.ops[begin][2] = self.here()
        self.ops[begin][3] = least
        return 1


def compile_program(schema: Any, projection: Projection) -> Program:
    """Compile a writer's schema.

    Parameters
    ----------
    schema
        The schema as parsed JSON; its top type must be a record.
    projection
        What is wanted of it. Wanted fields that the schema lacks are simply absent from the
        result, unless they are ``required``.

    Raises
    ------
    UnsupportedSchemaError
        For recursive types, arrays of empty items, schemas beyond the size limits, or without a
        required field.
    SlowSchemaError
        For wanted fields that are enums or unions of several types.
    """
    compiler = _Compiler(projection)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise UnsupportedSchemaError("the top type is no record")
    try:
        compiler.value(schema, "", -1, 0, "")
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UnsupportedSchemaError(f"not an Avro schema: {error!r}") from error
    compiler.emit(op.END)
    scalars: dict[str, Column] = {}
    lists: dict[str, dict[str, Column]] = {name: {} for name in compiler.list_order}
    rows = [0, 0]
    for in_list, name, kind, at in sorted(compiler.columns, key=lambda column: column[2]):
        space = 0 if in_list < 0 else 1
        target = scalars if in_list < 0 else lists[compiler.list_order[in_list]]
        target[name] = Column(name, kind, rows[space])
        compiler.ops[at][1] = rows[space]
        rows[space] += 1
    known = {*scalars, *compiler.slow}
    missing = [path for path in projection.required if path not in known]
    if missing:
        raise UnsupportedSchemaError(f"the schema has no {', '.join(missing)}")
    if compiler.slow and compiler.dear:
        raise UnsupportedSchemaError(f"many values in few bytes in {compiler.dear!r}")
    if compiler.slow:
        # Not before all of it has been judged: fastavro bounds neither depth nor counts.
        raise SlowSchemaError(
            "; ".join(f"{path!r} is {why}" for path, why in compiler.slow.items())
        )
    return Program(
        ops=np.array(compiler.ops, dtype=np.int64),
        jumps=np.array([*compiler.jumps, 0], dtype=np.int64),
        scalars=scalars,
        lists=lists,
        list_order=tuple(compiler.list_order),
        scalar_rows=max(rows[0], 1),
        list_rows=max(rows[1], 1),
    )
