"""A filter's text taken apart: ``SELECT columns FROM alerts WHERE condition``, or a bare condition.

DuckDB's own parser reads it (``json_serialize_sql``) and writes the parts anew from the judged
tree (``json_deserialize_sql``), so what is judged is what is run, and no remark, odd quoting or
second statement survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.filters.parser import serialized, written
from shared.filters.refusal import FilterRefusedError
from shared.filters.syntax import cost_refusal, judge, text_refusal
from shared.filters.view import ALERT_FUNCTIONS, DERIVED_NAMES

VIEW = "alerts"
MOST_COLUMNS = 200
"""Columns of one SELECT."""
_COMPLETION = "SELECT * FROM alerts WHERE "
_REMARK = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_IS_STATEMENT = re.compile(
    _REMARK + r"\(*" + _REMARK + r"(?:select|from|with|values|table|describe|show)\b",
    re.IGNORECASE | re.DOTALL,
)
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_ENDING = re.compile(r"\s*;\s*$")


@dataclass(frozen=True, slots=True)
class SelectedColumn:
    """One column of what a filter sends."""

    name: str
    sql: str
    plain: str | None = None
    """The column of the alert that it is, if it is nothing more."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A filter that has been judged; it need not bind to any column yet."""

    text: str
    """As written."""
    sql: str
    """The whole SELECT, with the hidden arguments of the alert's own functions filled in."""
    where: str
    """The condition; ``true`` if there is none."""
    columns: tuple[SelectedColumn, ...] = ()
    """What is sent; empty for ``SELECT *``, the whole alert."""
    names: frozenset[str] = frozenset()
    """Names of columns that it mentions."""
    where_names: frozenset[str] = frozenset()
    """The same of the condition alone."""
    completed: int = 0
    """Characters put before the text to make a statement of it."""
    inserted: tuple[tuple[int, int], ...] = ()
    """Where hidden arguments were put, and how long they are; bytes of the completed text."""

    @property
    def derived(self) -> frozenset[str]:
        """The derived columns of the view that it needs."""
        return self.names & DERIVED_NAMES

    def written_at(self, byte: int) -> int:
        """The character of ``text`` that stands at a byte of ``sql``; 0 if there is none."""
        for start, length in self.inserted:
            if byte >= start + length:
                byte -= length
            else:
                byte = min(byte, start)
        return _character(self.text, byte, self.completed)


def parse_filter(text: str) -> Statement:
    """Judge a filter's text.

    Parameters
    ----------
    text
        ``SELECT columns FROM alerts WHERE condition``, or only the condition.

    Raises
    ------
    FilterRefusedError
        If it is anything but that, or says what is not listed.
    """
    refusal = text_refusal(text)
    if refusal is not None:
        raise refusal.of(text)
    is_statement = _IS_STATEMENT.match(text) is not None
    completed = 0 if is_statement else len(_COMPLETION)
    whole = text if is_statement else _COMPLETION + text
    try:
        return _judged(text, whole, completed)
    except FilterRefusedError as error:
        raise error.of(text) from error


def _judged(text: str, whole: str, completed: int) -> Statement:
    node = _select_node(whole, text, completed)
    expressions = [
        *([] if _is_everything(node["select_list"]) else node["select_list"]),
        node["where_clause"] or [],
    ]
    try:
        insertions = dict(judge(expressions, inside_lambda=False))
    except FilterRefusedError as error:
        place = _character(text, error.position, completed)
        raise FilterRefusedError(error.why, place, hint=error.hint) from error
    refusal = cost_refusal(expressions)
    if refusal:
        raise FilterRefusedError(refusal)
    columns = _columns(node["select_list"], text, completed)
    where = written(node["where_clause"]) if node["where_clause"] else "true"
    sql, inserted = with_insertions(whole, insertions)
    names = frozenset(_mentioned(expressions))
    where_names = frozenset(_mentioned(node["where_clause"]))
    return Statement(text, sql, where, columns, names, where_names, completed, inserted)


def parsed_tree(whole: str, text: str, completed: int = 0) -> list[dict[str, Any]]:
    """The statements of a text as DuckDB's parser sees them.

    Raises
    ------
    FilterRefusedError
        If it cannot be parsed, or holds anything but SELECT.
    """
    parsed = serialized(whole)
    if parsed.get("error", True):
        why = parsed.get("error_message", "cannot be parsed")
        if parsed.get("error_type") == "not implemented":
            raise FilterRefusedError("only one SELECT is allowed, and no other statement")
        place = _character(text, int(parsed.get("position", completed)), completed)
        raise FilterRefusedError(" ".join(why.split()), place)
    statements: list[dict[str, Any]] = parsed["statements"]
    if len(statements) != 1:
        raise FilterRefusedError("only one SELECT is allowed, and no other statement")
    return statements


_NOT_HERE = {
    "group_expressions": "GROUP BY",
    "group_sets": "GROUP BY",
    "having": "HAVING",
    "sample": "a sample",
    "qualify": "QUALIFY",
    "modifiers": "ORDER BY, LIMIT and DISTINCT",
}


def _select_node(whole: str, text: str, completed: int) -> dict[str, Any]:
    """The one SELECT, which must be ``FROM alerts`` with no clause but WHERE."""
    node: dict[str, Any] = parsed_tree(whole, text, completed)[0]["node"]
    if node.get("type") != "SELECT_NODE":
        raise FilterRefusedError("a filter is one SELECT and has no UNION or the like")
    if node["cte_map"]["map"]:
        raise FilterRefusedError("a filter has no WITH")
    for part, name in _NOT_HERE.items():
        if node.get(part):
            raise FilterRefusedError(
                f"{name} not allowed: a filter sees one alert at a time",
                hint="write SELECT columns FROM alerts WHERE condition",
            )
    table = node["from_table"]
    path = table["qualified_name"]["path"] if table["type"] == "BASE_TABLE" else []
    is_view = [part.lower() for part in path] == [VIEW]
    if not is_view or table["sample"] or table["at_clause"] or table["column_name_alias"]:
        place = _character(text, table.get("query_location", 0) or 0, completed)
        raise FilterRefusedError(f"a filter selects FROM {VIEW} and nothing else", place)
    if table["alias"].lower() not in {"", VIEW}:
        raise FilterRefusedError(f"leave out the other name {table['alias']!r} of {VIEW}")
    return node


def _columns(
    select_list: list[dict[str, Any]], text: str, completed: int
) -> tuple[SelectedColumn, ...]:
    if _is_everything(select_list):
        return ()
    if len(select_list) > MOST_COLUMNS:
        raise FilterRefusedError(f"more than {MOST_COLUMNS} columns")
    columns: dict[str, SelectedColumn] = {}
    for number, expression in enumerate(select_list, start=1):
        place = _character(text, expression["query_location"], completed)
        name = expression["alias"] or _own_name(expression)
        if _COLUMN_NAME.fullmatch(name or "") is None:
            raise FilterRefusedError(
                f"column {number} has no name that Avro allows",
                place,
                hint="write ... AS name, of letters, digits and _",
            )
        if name in columns:
            raise FilterRefusedError(
                f"two columns are named {name}", place, hint="write ... AS another_name"
            )
        path = expression["column_names"] if expression["class"] == "COLUMN_REF" else []
        is_plain = len(path) == 1 or (len(path) == 2 and path[0].lower() == VIEW)
        plain = path[-1].lower() if is_plain else None
        columns[name] = SelectedColumn(name, written(expression), plain)
    return tuple(columns.values())


def _is_everything(select_list: list[dict[str, Any]]) -> bool:
    """Whether it is ``SELECT *`` and nothing else."""
    extras = ("exclude_list", "replace_list", "rename_list", "qualified_exclude_list", "expr")
    only = select_list[0]
    is_star = only["class"] == "STAR" and not only.get("relation_name")
    return len(select_list) == 1 and is_star and not any(only.get(extra) for extra in extras)


def _own_name(expression: dict[str, Any]) -> str:
    """What an expression is called without AS: its column, member or function."""
    if expression["class"] == "COLUMN_REF":
        return str(expression["column_names"][-1])
    if expression["type"] in {"STRUCT_EXTRACT", "ARRAY_EXTRACT"}:
        member = expression["children"][-1]
        if member["class"] == "CONSTANT":
            return str(member.get("literal", member.get("value", {})).get("text") or "")
    if expression["class"] == "FUNCTION" and not expression["is_operator"]:
        return str(expression["function_name"]).lower()
    return ""


def _mentioned(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for child in node:
            yield from _mentioned(child)
    elif isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            path = node["column_names"]
            in_view = path[0].lower() == VIEW and len(path) > 1
            yield (path[1] if in_view else path[0]).lower()
        if node.get("class") == "FUNCTION":
            hidden = ALERT_FUNCTIONS.get(str(node["function_name"]).lower(), "")
            yield from filter(None, hidden.split(", "))
        for child in node.values():
            yield from _mentioned(child)


_CALL = re.compile(rb'"?[A-Za-z_]+"?\s*\(')


def with_insertions(
    whole: str, hidden: Mapping[int, bytes]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A statement with the hidden arguments of its calls, by the byte where each call begins.

    Returns the text, without a semicolon at its end, and where how many bytes were put.
    """
    sql = _ENDING.sub("", whole).encode()
    places = {_opening(sql, place): arguments for place, arguments in hidden.items()}
    for place in sorted(places, reverse=True):
        sql = sql[:place] + places[place] + sql[place:]
    return sql.decode(), tuple((place, len(places[place])) for place in sorted(places))


def _opening(sql: bytes, place: int) -> int:
    """Where the first argument of the call at byte ``place`` stands."""
    opening = _CALL.match(sql, place)
    if opening is None:
        raise FilterRefusedError("write the function's name just before its parenthesis", place)
    return opening.end()


def _character(text: str, byte: int, completed: int) -> int:
    """The character of ``text`` at a byte of the completed text; 0 if there is none."""
    encoded, byte = text.encode(), byte - completed
    return len(encoded[:byte].decode(errors="ignore")) if 0 <= byte <= len(encoded) else 0
