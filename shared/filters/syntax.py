"""What an expression of a filter may say: listed operations on the columns of one alert.

Nothing that makes values grow is listed: with every operation linear in its input and lambdas not
nested, 8 KB of SQL cannot ask for more than the time limit of a batch can stop.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Any

from shared.filters.refusal import FilterRefusedError
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

_QUERY_WORDS = """
    any_value approx_count_distinct approx_quantile arg_max arg_min array_agg avg bool_and bool_or
    corr count count_star covar_pop covar_samp first last list max median min mode quantile_cont
    quantile_disc regr_intercept regr_slope stddev stddev_pop stddev_samp sum var_pop var_samp
    variance skewness kurtosis row_number rank dense_rank percent_rank cume_dist ntile lag lead
    first_value last_value nth_value unnest
"""
QUERY_FUNCTIONS = frozenset(_QUERY_WORDS.split())
"""What a query over many alerts may call besides: aggregates, windows, a list as rows."""

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
MAX_FILTER_BYTES = 8192
"""Longest filter: a longer one is a program."""


def text_refusal(text: str) -> FilterRefusedError | None:
    """Why a text is refused before it is parsed; None if it is not."""
    lines = [line.strip("; \t") for line in text.splitlines()]
    if all(line == "" or line.startswith("--") for line in lines):
        return FilterRefusedError("says nothing", hint="write SELECT columns FROM alerts WHERE ...")
    if len(text.encode(errors="replace")) > MAX_FILTER_BYTES:
        return FilterRefusedError(f"longer than {MAX_FILTER_BYTES} bytes")
    for character in ("\x00", "\ufeff"):
        if character in text:
            return FilterRefusedError(
                f"holds the character U+{ord(character):04X}", text.index(character)
            )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return FilterRefusedError("holds half of a surrogate pair", error.start)
    if len(_CASE_OF_OPERAND.findall(text)) > _MOST_CASES_OF_OPERAND:
        return FilterRefusedError("write CASE WHEN x = 1 THEN instead of CASE x WHEN 1 THEN")
    return None


def cost_refusal(expressions: list[Any]) -> str | None:
    """Why expressions are too dear to plan; None if they are not."""
    if _planned(expressions) > _MOST_PLANNED:
        return "too much to plan: nests BETWEEN, IN, cone, fmod, mag or nullif too deep"
    return None


def judge(
    node: Any, *, inside_lambda: bool, functions: frozenset[str] = FUNCTIONS
) -> Iterator[tuple[int, bytes]]:
    """Refuse what is not listed; yield where calls need which hidden arguments.

    Raises
    ------
    FilterRefusedError
        Its ``position`` is the byte of the parsed text.
    """
    if isinstance(node, list):
        for child in node:
            yield from judge(child, inside_lambda=inside_lambda, functions=functions)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("class")
    if kind is not None:
        refusal = _refusal(node, inside_lambda=inside_lambda, functions=functions)
        name = str(node.get("function_name", "")).lower()
        if refusal:
            place = node.get("query_location") or 0
            raise FilterRefusedError(refusal, place, hint=hint_for(name, functions))
        hidden = ALERT_FUNCTIONS.get(name)
        if kind == "FUNCTION" and hidden is not None:
            comma = ", " if node["arguments"] else ""
            yield node["query_location"], f"{hidden}{comma}".encode()
    for child in node.values():
        yield from judge(
            child, inside_lambda=inside_lambda or kind == "LAMBDA", functions=functions
        )


def hint_for(name: str, known: Collection[str]) -> str:
    """The known name most like one that is not."""
    near = difflib.get_close_matches(name.lower(), known, 1, 0.75)
    return f"did you mean {near[0]}?" if near and near[0] != name.lower() else ""


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


def _refusal(node: dict[str, Any], *, inside_lambda: bool, functions: frozenset[str]) -> str | None:
    """Why this node may not be in a filter or query; None if it may."""
    kind, type_ = node["class"], node["type"]
    is_query = functions is not FUNCTIONS
    if kind == "FUNCTION" or (kind == "WINDOW" and is_query):
        return _function_refusal(node, inside_lambda=inside_lambda, functions=functions)
    if is_query and kind in {"SUBQUERY", "STAR"} and not node.get("columns"):
        return None
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


def _function_refusal(
    node: dict[str, Any], *, inside_lambda: bool, functions: frozenset[str]
) -> str | None:
    name = node["function_name"].lower()
    if name in _COPYING and _not_constant(node["arguments"]) > _MOST_COPIED:
        return f"{name} of more than {_MOST_COPIED} columns or expressions is not allowed"
    if name not in functions or node.get("schema") or node.get("catalog"):
        return f"function {name} is not allowed; docs/filters.md lists those that are"
    is_single = functions is FUNCTIONS or name in FUNCTIONS
    if is_single and (
        node.get("distinct") or node.get("filter") or (node.get("order_bys") or {}).get("orders")
    ):
        return f"{name}: DISTINCT, FILTER and ORDER BY are not allowed here"
    if inside_lambda and name not in _SCALARS:
        return f"function {name} is not allowed inside a lambda"
    return None
