"""A Mongo-style match document as the SQL condition it means: the same filter, another spelling.

``{"reliability": {"$gt": 0.8}, "matches": {"$elemMatch": {"catalog": "gcvs"}}}`` becomes
``("reliability" > 0.8) AND (len(list_filter(...)) > 0)``, which is then judged like any other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MOST_DEPTH = 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_COMPARISONS = {"$eq": "=", "$ne": "<>", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def where_of_match(document: Any) -> str:
    """The condition of a match document.

    Parameters
    ----------
    document
        ``{column: value}`` or ``{column: {operator: value}}``; members by dots. Operators: $eq,
        $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not, $regex, $size, $elemMatch on columns;
        $and, $or, $nor of documents; $where, a text of SQL.

    Raises
    ------
    ValueError
        If it is none; the message names the path.
    """
    return _all_of(document, "", lambda name: ".".join(f'"{part}"' for part in name), 0)


Column = Callable[[list[str]], str]
"""SQL of a column, or of a member of a list's item, by its path."""


def _all_of(document: Any, path: str, column: Column, depth: int) -> str:
    if not isinstance(document, Mapping) or not document:
        raise ValueError(f"{path or 'match'}: write {{column: condition, ...}}")
    if depth > _MOST_DEPTH:
        raise ValueError(f"{path}: nested deeper than {_MOST_DEPTH}")
    return " AND ".join(
        f"({_one(str(key), value, f'{path}.{key}'.lstrip('.'), column, depth + 1)})"
        for key, value in document.items()
    )


def _one(key: str, value: Any, path: str, column: Column, depth: int) -> str:
    if key in {"$and", "$or", "$nor"}:
        if not isinstance(value, list) or not value:
            raise ValueError(f"{path}: takes a list of documents")
        parts = [f"({_all_of(each, path, column, depth)})" for each in value]
        joined = (" AND " if key == "$and" else " OR ").join(parts)
        return f"NOT coalesce({joined}, false)" if key == "$nor" else joined
    if key == "$where":
        if not isinstance(value, str):
            raise ValueError(f"{path}: takes a text of SQL")
        return f"{value}\n"
    if key.startswith("$"):
        raise ValueError(f"{path}: no such operator between columns")
    names = key.split(".")
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{path}: {name!r} is no column's name")
    return _condition(column(names), value, path, depth)


def _condition(left: str, value: Any, path: str, depth: int) -> str:
    if not isinstance(value, Mapping):
        return f"{left} IS NULL" if value is None else f"{left} = {_literal(value, path)}"
    if not value:
        raise ValueError(f"{path}: no operator")
    parts = [_operated(left, str(op), operand, path, depth) for op, operand in value.items()]
    return " AND ".join(f"({part})" for part in parts)


def _operated(left: str, operator: str, operand: Any, path: str, depth: int) -> str:
    if operator in _COMPARISONS:
        if operand is None and operator in {"$eq", "$ne"}:
            return f"{left} IS {'NOT ' if operator == '$ne' else ''}NULL"
        return f"{left} {_COMPARISONS[operator]} {_literal(operand, path)}"
    if operator in {"$in", "$nin"}:
        if not isinstance(operand, Sequence) or isinstance(operand, str) or not operand:
            raise ValueError(f"{path}: {operator} takes a list of values")
        values = ", ".join(_literal(value, path) for value in operand)
        return f"{left} {'NOT ' if operator == '$nin' else ''}IN ({values})"
    if operator == "$exists":
        return f"{left} IS {'NOT ' if operand else ''}NULL"
    if operator == "$not":
        return f"NOT coalesce({_condition(left, operand, path, depth)}, false)"
    if operator == "$regex":
        return f"regexp_matches({left}, {_literal(str(operand), path)})"
    if operator == "$size":
        return f"len({left}) = {_literal(operand, path)}"
    if operator == "$elemMatch":
        item = "item"
        inner = _all_of(
            operand, path, lambda names: ".".join([item, *(f'"{n}"' for n in names)]), depth
        )
        return f"len(list_filter({left}, lambda {item}: {inner})) > 0"
    raise ValueError(f"{path}: no operator {operator!r}")


def _literal(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise ValueError(f"{path}: {value!r} is no number, text or truth value")
