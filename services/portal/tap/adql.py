"""The little of ADQL that clients write by habit, as the archive's SQL.

``SELECT TOP n`` and ``CONTAINS(POINT(...), CIRCLE(...)) = 1`` about an alert's own position. All
else is passed on as it is, to be judged by the guard.
"""

from __future__ import annotations

import re

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_TEXT = r"'(?:[^']|'')*'"
_TOP = re.compile(
    r"\A(?P<before>\s*SELECT\s+(?:(?:ALL|DISTINCT)\s+)?)TOP\s+(?P<most>\d{1,9})\s+", re.IGNORECASE
)
_CONTAINS = (
    r"CONTAINS\s*\(\s*POINT\s*\(\s*(?:" + _TEXT + r"\s*,\s*)?"
    r"(?:\w+\.)?ra_deg\s*,\s*(?:\w+\.)?dec_deg\s*\)\s*,\s*"
    r"CIRCLE\s*\(\s*(?:" + _TEXT + r"\s*,\s*)?"
    rf"(?P<ra>{_NUMBER})\s*,\s*(?P<dec>{_NUMBER})\s*,\s*(?P<radius>{_NUMBER})\s*\)\s*\)"
)
_INSIDE = (
    re.compile(rf"\b1\s*=\s*{_CONTAINS}", re.IGNORECASE),
    re.compile(rf"\b{_CONTAINS}\s*=\s*1\b", re.IGNORECASE),
)


def as_archive_sql(adql: str) -> str:
    """An ADQL query as the archive's SQL."""
    sql = adql.strip().removesuffix(";").rstrip()
    for pattern in _INSIDE:
        sql = pattern.sub(_cone, sql)
    top = _TOP.match(sql)
    if top is not None:
        # In brackets, so that a UNION or LIMIT at its end stays what it is.
        inner = top["before"] + sql[top.end() :]
        sql = f"SELECT * FROM ({inner}\n) LIMIT {top['most']}"  # noqa: S608  # judged before it is run
    return sql


def _cone(found: re.Match[str]) -> str:
    radius_arcsec = float(found["radius"]) * 3600.0
    return f"cone({found['ra']}, {found['dec']}, {radius_arcsec!r})"
