"""DuckDB's own parser: a text as a tree, and an expression written anew from its tree."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import duckdb

from shared.filters.refusal import FilterRefusedError
from shared.filters.view import ALERT_FUNCTIONS

_DEPTH = 150
"""Deepest nesting of a text."""
_WRITTEN_DEPTH = 500
"""The same once it is written with all its parentheses."""


def written(expression: dict[str, Any]) -> str:
    """An expression's SQL, written anew from its tree, hidden arguments included."""
    bare = _with_hidden_arguments({**expression, "alias": ""})
    frame = json.loads(_frame())
    frame["statements"][0]["node"]["select_list"] = [bare]
    row = _parser().cursor().execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(frame)])
    sql = str((row.fetchone() or ("",))[0]).removeprefix("SELECT ")
    again = serialized(f"SELECT {sql}", _WRITTEN_DEPTH)
    node = {} if again.get("error", True) else again["statements"][0]["node"]
    if len(node.get("select_list", ())) != 1 or node["from_table"]["type"] != "EMPTY":
        raise FilterRefusedError("cannot be written as one expression")
    return sql


@cache
def _parser(depth: int = _DEPTH) -> Any:
    """A connection that parses and runs nothing; a cursor of it per call, for threads."""
    return duckdb.connect(
        config={
            "max_expression_depth": str(depth),
            "threads": "1",
            "enable_external_access": "false",
        }
    )


def serialized(whole: str, depth: int = _DEPTH) -> dict[str, Any]:
    """A text as DuckDB parses it: ``statements``, or ``error`` with its message and position."""
    row = _parser(depth).cursor().execute("SELECT json_serialize_sql(?)", [whole]).fetchone()
    parsed: dict[str, Any] = json.loads(row[0] if row else "{}")
    return parsed


@cache
def _frame() -> str:
    return json.dumps(serialized("SELECT 1"))


def _with_hidden_arguments(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_hidden_arguments(child) for child in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _with_hidden_arguments(child) for key, child in node.items()}
    hidden = ALERT_FUNCTIONS.get(str(node.get("function_name", "")).lower())
    if node.get("class") == "FUNCTION" and hidden is not None:
        changed["arguments"] = [
            *({"name": "", "expression": _reference(name)} for name in hidden.split(", ")),
            *changed["arguments"],
        ]
    return changed


def _reference(name: str) -> dict[str, Any]:
    return {
        "class": "COLUMN_REF",
        "type": "COLUMN_REF",
        "alias": "",
        "query_location": 0,
        "column_names": [name],
    }
