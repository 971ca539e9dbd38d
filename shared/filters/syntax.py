"""What a filter may say: one expression, of listed operations, on the columns of one alert.

DuckDB's own parser reads it (``json_serialize_sql``), so what is judged is what is run. Nothing
that makes values grow is listed: with every operation linear in its input and lambdas not
nested, 8 KB of SQL cannot ask for more than the time limit of a batch can stop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from shared.filters.user_filter import MAX_WHERE_BYTES
from shared.filters.view import ALERT_FUNCTIONS

OPERATOR_SYMBOLS = frozenset("+-*/%^&|") | {"//", "**"}
_LIKE = frozenset({"~~", "!~~", "~~*", "!~~*"})
_SCALAR_WORDS = """
    abs acos asin atan atan2 cbrt ceil ceiling cos degrees
    exp floor fmod greatest ifnull isfinite isinf isnan least ln log log10 log2 mod nullif pi
    pow power radians round sign sin sqrt tan trunc contains ends_with length lower
    regexp_full_match regexp_matches starts_with suffix prefix trim upper mag struct_extract
"""
"""Functions from scalars to a scalar; also allowed inside a lambda."""

_LIST_WORDS = """
    array_extract array_length len list_any_value list_apply list_avg list_bool_and list_bool_or
    list_contains list_count list_distinct list_extract list_filter list_first list_has_all
    list_has_any list_last list_max list_median list_min list_position list_product
    list_reverse list_reverse_sort list_slice list_sort list_stddev_pop list_stddev_samp
    list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip
"""
"""Functions of lists, linear in their length (sorting nearly so); not inside a lambda."""

SCALAR_FUNCTIONS = frozenset(_SCALAR_WORDS.split())
LIST_FUNCTIONS = frozenset(_LIST_WORDS.split())
_SCALARS = SCALAR_FUNCTIONS | OPERATOR_SYMBOLS | _LIKE
FUNCTIONS = _SCALARS | LIST_FUNCTIONS | frozenset(ALERT_FUNCTIONS)
"""Every function a filter may call."""

_REPEATING = frozenset({"mag", "nullif", "cone", "fmod", "between"})
"""Planned as text in which an argument stands twice: nested 20 deep, that is a million times."""
_MOST_PLANNED = 20_000
"""Parts of an expression once these, and the operand of each IN, are written out: DuckDB plans
without regard to its limits of memory and time."""
_CASE_OF_OPERAND = re.compile(r"\bcase\b(?!\s+when\b)", re.IGNORECASE)
_MOST_CASES_OF_OPERAND = 2
"""``CASE x WHEN`` repeats x for every WHEN, in the parser already."""

_COPYING = frozenset({"list_zip", "list_value"})
_MOST_COPIED = 8
"""Lists put side by side: 500 times a light curve is gigabytes, past the limit of memory."""

_OPERATOR_WORDS = """
    OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY
    COMPARE_IN COMPARE_NOT_IN ARRAY_EXTRACT ARRAY_SLICE STRUCT_EXTRACT
"""
_OPERATORS = frozenset(_OPERATOR_WORDS.split())
_PLAIN = frozenset({"CONSTANT", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE"})
_TYPE_WORDS = "boolean tinyint smallint integer int bigint hugeint float real double varchar text"
_TYPES = frozenset(_TYPE_WORDS.split())
_REFUSED = {
    "SUBQUERY": "a filter is one expression and has no subquery",
    "WINDOW": "a filter sees one alert at a time and has no window function",
    "STAR": "* is not a value",
    "PARAMETER": "a filter has no parameters",
    "COLLATE": "write lower(...) instead of a collation",
}
_EMPTY_PARTS = ("where_clause", "having", "sample", "qualify")
_SELECT = "SELECT "


class FilterRefusedError(Exception):
    """A filter that will not be run; ``position`` is the character of its text that is meant."""

    def __init__(self, why: str, position: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.position = position


@dataclass(frozen=True, slots=True)
class Expression:
    """A WHERE clause that has been judged: ``sql`` may be put between parentheses and run."""

    text: str
    sql: str
    """As written, with the hidden arguments of the alert's own functions filled in."""
    inserted: tuple[tuple[int, int], ...] = ()
    """Where in ``text`` those were put, and how long they are; bytes."""

    def written_at(self, byte: int) -> int:
        """The character of ``text`` that stands at a byte of ``sql``; 0 if there is none."""
        for start, length in self.inserted:
            if byte >= start + length:
                byte -= length
            else:
                byte = min(byte, start)
        encoded = self.text.encode()
        return len(encoded[:byte].decode(errors="ignore")) if 0 <= byte <= len(encoded) else 0


def parse_where(where: str) -> Expression:
    """Judge a WHERE clause; it need not bind to any column yet.

    Raises
    ------
    FilterRefusedError
        If it is not exactly one expression, or says anything that is not listed.
    """
    if len(where.encode()) > MAX_WHERE_BYTES:
        raise FilterRefusedError(f"longer than {MAX_WHERE_BYTES} bytes")
    if "\x00" in where:
        raise FilterRefusedError("holds a zero character", where.index("\x00"))
    if len(_CASE_OF_OPERAND.findall(where)) > _MOST_CASES_OF_OPERAND:
        raise FilterRefusedError("write CASE WHEN x = 1 THEN instead of CASE x WHEN 1 THEN")
    tree = _single_expression(where)
    insertions = dict(_judge(tree, where, inside_lambda=False))
    if _planned(tree) > _MOST_PLANNED:
        raise FilterRefusedError(
            "too much to plan: nests BETWEEN, IN, cone, fmod, mag or nullif too deep"
        )
    sql = where.encode()
    for position in sorted(insertions, reverse=True):
        sql = sql[:position] + insertions[position] + sql[position:]
    inserted = tuple((start, len(insertions[start])) for start in sorted(insertions))
    return Expression(where, sql.decode(), inserted)


def _single_expression(where: str) -> dict[str, Any]:
    """The tree of ``SELECT <where>``, which must have that one expression and nothing else."""
    with duckdb.connect(config={"max_expression_depth": "150"}) as connection:
        row = connection.execute("SELECT json_serialize_sql(?)", [_SELECT + where]).fetchone()
    parsed = json.loads(row[0] if row else "{}")
    if parsed.get("error", True):
        raise FilterRefusedError(
            parsed.get("error_message", "cannot be parsed"),
            _characters(where, int(parsed.get("position", len(_SELECT)))),
        )
    statements = parsed["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    is_bare = (
        node.get("type") == "SELECT_NODE"
        and node["from_table"]["type"] == "EMPTY"
        and not any(node.get(part) for part in (*_EMPTY_PARTS, "modifiers", "group_expressions"))
        and not node["cte_map"]["map"]
        and len(node["select_list"]) == 1
        and not node["select_list"][0]["alias"]
    )
    if not is_bare:
        raise FilterRefusedError(
            "not one expression: write only what stands after WHERE, "
            "as flux_njy > 1e5 AND reliability > 0.9"
        )
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _judge(node: Any, where: str, *, inside_lambda: bool) -> Iterator[tuple[int, bytes]]:
    """Refuse what is not listed; yield the hidden arguments to insert, by byte of ``where``."""
    if isinstance(node, list):
        for child in node:
            yield from _judge(child, where, inside_lambda=inside_lambda)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("class")
    if kind is not None:
        refusal = _refusal(node, inside_lambda=inside_lambda)
        if refusal:
            raise FilterRefusedError(refusal, _characters(where, node["query_location"]))
        name = str(node.get("function_name", "")).lower()
        hidden = ALERT_FUNCTIONS.get(name)
        if kind == "FUNCTION" and hidden is not None:
            yield _hidden_arguments(node, where, hidden)
    for child in node.values():
        yield from _judge(child, where, inside_lambda=inside_lambda or kind == "LAMBDA")


def _planned(node: Any, copies: int = 1) -> int:
    """How many parts the planner will make of this, or more than are allowed."""
    if isinstance(node, list):
        return sum(_planned(child, copies) for child in node)
    if not isinstance(node, dict) or copies > _MOST_PLANNED:
        return copies if isinstance(node, dict) else 0
    parts = copies if "class" in node else 0
    if str(node.get("type")) in {"COMPARE_IN", "COMPARE_NOT_IN"}:
        operand, *others = node["children"]
        return parts + _planned(operand, copies * len(others)) + _planned(others, copies)
    if str(node.get("function_name") or node.get("class")).lower() in _REPEATING:
        copies *= 2
    return parts + sum(_planned(child, copies) for child in node.values())


def _refusal(node: dict[str, Any], *, inside_lambda: bool) -> str | None:
    """Why this node may not be in a filter; None if it may."""
    kind, type_ = node["class"], node["type"]
    if kind == "FUNCTION":
        return _function_refusal(node, inside_lambda=inside_lambda)
    if kind == "OPERATOR" and type_ not in _OPERATORS:
        return f"{type_.lower().replace('_', ' ')} is not allowed in a filter"
    if kind == "TYPE" and (node["type_name"].lower() not in _TYPES or node["children"]):
        return f"cast to {node['type_name']} is not allowed; allowed: {', '.join(sorted(_TYPES))}"
    if kind == "LAMBDA" and inside_lambda:
        return "a lambda inside a lambda is not allowed"
    if kind in _PLAIN or kind in {"OPERATOR", "TYPE", "CAST", "LAMBDA"}:
        return None
    return _REFUSED.get(kind, f"{kind.lower()} is not allowed in a filter")


def _not_constant(arguments: list[dict[str, Any]]) -> int:
    return sum(argument["expression"]["class"] != "CONSTANT" for argument in arguments)


def _function_refusal(node: dict[str, Any], *, inside_lambda: bool) -> str | None:
    name = node["function_name"].lower()
    if name in _COPYING and _not_constant(node["arguments"]) > _MOST_COPIED:
        return f"{name} of more than {_MOST_COPIED} columns or expressions is not allowed"
    if name not in FUNCTIONS or node.get("schema") or node.get("catalog"):
        return f"function {name} is not allowed in a filter; docs/filters.md lists those that are"
    if node.get("distinct") or node.get("filter") or (node.get("order_bys") or {}).get("orders"):
        return f"{name}: DISTINCT, FILTER and ORDER BY are not allowed in a filter"
    if inside_lambda and name not in _SCALARS:
        return f"function {name} is not allowed inside a lambda"
    return None


def _hidden_arguments(node: dict[str, Any], where: str, hidden: str) -> tuple[int, bytes]:
    """Where the alert's own columns go into a call such as ``cone(10.7, 41.3, 60)``."""
    start = node["query_location"] - len(_SELECT)
    opening = re.compile(rb'"?[A-Za-z_]+"?\s*\(').match(where.encode(), start)
    if opening is None:
        raise FilterRefusedError("write the function's name just before its parenthesis", start)
    comma = ", " if node["arguments"] else ""
    return opening.end(), f"{hidden}{comma}".encode()


def _characters(where: str, position: int) -> int:
    """The character of ``where`` at a byte of the parsed text; 0 where the parser has none."""
    return Expression(where, where).written_at(position - len(_SELECT))
