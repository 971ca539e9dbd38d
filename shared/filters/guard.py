"""The two guards: of a filter on one alert, and of a read-only query over named relations.

Both are parsed, allow-listed and run on a connection that can reach no file, network or setting.
What the guard lets through can still be slow or large: run it with ``Limits``, and a user's query
over an archive in a process of its own with limits on its memory (``resource.setrlimit``), since
DuckDB does not count every byte of a growing list against its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import parse_filter, parsed_tree, with_insertions
from shared.filters.syntax import (
    FUNCTIONS,
    QUERY_FUNCTIONS,
    cost_refusal,
    hint_for,
    judge,
    text_refusal,
)
from shared.filters.view import MACROS

__all__ = ["JudgedQuery", "Limits", "judge_query", "locked_connection", "parse_filter"]

_MODIFIERS = frozenset(
    {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "DISTINCT_MODIFIER"}
)
_ORDERS = frozenset({"ASCENDING", "DESCENDING", "ORDER_DEFAULT", "COLUMN_REF", "INVALID"})
_ALLOWED = (
    _MODIFIERS
    | _ORDERS
    | {"SUBQUERY", "EMPTY", "EXPRESSION_LIST", "SELECT_NODE", "SET_OPERATION_NODE"}
)
"""Types of the nodes of a query that are no expressions, but for tables and joins."""
_JOIN = "JOIN"
_MOST_JOINS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use."""

    memory_mib: int = 256
    seconds: float = 2.0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query that has been judged: ``sql`` may be run on a ``locked_connection``."""

    text: str
    sql: str
    """As written, with the hidden arguments of ``cone`` and its like filled in."""
    relations: frozenset[str]
    """The relations it reads."""


def locked_connection(
    limits: Limits, *, explains: bool = False, folders: Sequence[Path] = ()
) -> Any:
    """DuckDB in memory that knows our functions, and can reach no file, network or setting.

    Parameters
    ----------
    limits
        Memory and time of each query.
    explains
        Errors are JSON and say where in the query they lie.
    folders
        Folders whose files may be read all the same: for views over an archive that is ours.
        A judged query names no file, whatever is allowed here.
    """
    connection = duckdb.connect(
        config={
            "threads": str(limits.threads),
            "memory_limit": f"{limits.memory_mib}MiB",
            "max_temp_directory_size": "0KiB",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "max_expression_depth": "500",
            "errors_as_json": str(explains).lower(),
        }
    )
    for macro in MACROS:
        connection.execute(macro)
    if folders:
        listed = ", ".join("'" + str(f.resolve()).replace("'", "''") + "/'" for f in folders)
        connection.execute(f"SET allowed_directories = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute(f"SET max_execution_time = {max(1, int(limits.seconds * 1000))}")
    connection.execute("SET lock_configuration = true")
    return connection


def judge_query(text: str, relations: Collection[str]) -> JudgedQuery:
    """Judge a read-only query: one SELECT, with joins, CTEs, aggregates, over named relations.

    Parameters
    ----------
    text
        The query.
    relations
        Names that FROM may use; a table function, a file or a system table is none.

    Raises
    ------
    FilterRefusedError
        With the line and column of what is not allowed, and a hint.
    """
    refusal = text_refusal(text)
    if refusal is not None:
        raise refusal.of(text)
    try:
        tree = parsed_tree(text, text)[0]
        node = tree["node"]
        used = list(_tables(node, frozenset(relations)))
        if used.count(_JOIN) > _MOST_JOINS:
            raise FilterRefusedError(f"more than {_MOST_JOINS} joins")
        insertions = judge(node, inside_lambda=False, functions=FUNCTIONS | QUERY_FUNCTIONS)
        sql, _ = with_insertions(text, dict(insertions))
        too_dear = cost_refusal([node])
    except FilterRefusedError as error:
        raise error.of(text) from error
    if too_dear:
        raise FilterRefusedError(too_dear, text=text)
    return JudgedQuery(text, sql, frozenset(relations) & frozenset(used))


def _tables(node: Any, known: frozenset[str]) -> Iterator[str]:
    """Names in FROM; refuses those that are neither ``known`` nor of a CTE in their scope."""
    if isinstance(node, list):
        for child in node:
            yield from _tables(child, known)
    if not isinstance(node, dict):
        return
    others = dict(node)
    if isinstance(node.get("cte_map"), dict):
        # A CTE sees only those before it; its own name is a relation's, if there is one.
        for entry in others.pop("cte_map")["map"]:
            yield from _tables(entry["value"], known)
            known |= {str(entry["key"]).lower()}
    if "class" not in node and str(node.get("type", "")).isupper():
        yield from _table(node, known)
    for child in others.values():
        yield from _tables(child, known)


def _table(node: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    kind, place = node["type"], node.get("query_location") or 0
    if kind == "BASE_TABLE":
        path = [str(part) for part in node["qualified_name"]["path"]]
        if len(path) != 1 or path[0].lower() not in known or node["at_clause"]:
            raise FilterRefusedError(
                f"no relation {'.'.join(path)}; there are: {', '.join(sorted(known))}",
                place,
                hint=hint_for(path[-1], known),
            )
        yield path[0].lower()
    elif kind == "JOIN":
        yield _JOIN
    elif kind not in _ALLOWED:
        name = kind.lower().replace("_", " ")
        raise FilterRefusedError(f"{name} is not allowed in a query", place)
