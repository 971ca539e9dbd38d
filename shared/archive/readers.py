"""Who reads the archive, and what of it he may see.

A survey may be private: then only members of its groups, and operators, see anything of it. A
watchlist or region may be private: then only its owner sees that it was hit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks the archive; the default is anybody, who sees what is public."""

    name: str | None = None
    """Whose private watchlists and regions are shown; None: nobody's."""
    groups: frozenset[str] = frozenset()
    is_operator: bool = False
    """Sees every survey, and still not other people's watchlists."""

    def may_see(self, survey: str, private: dict[str, frozenset[str]]) -> bool:
        """Whether this reader sees a survey, given the groups that private surveys are for."""
        groups = private.get(survey)
        return groups is None or self.is_operator or bool(groups & self.groups)


ANYBODY = Reader()
OPERATOR = Reader(is_operator=True)


def private_surveys(setting: str) -> dict[str, frozenset[str]]:
    """The groups that each private survey is for, from ``survey=group,survey=group``.

    Raises
    ------
    ValueError
        If an entry is not ``survey=group``.
    """
    groups: dict[str, set[str]] = {}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        survey, equals, group = (part.strip() for part in entry.partition("="))
        if not (survey and equals and group):
            raise ValueError(f"TOCSIN_PRIVATE_SURVEYS: {entry!r} is not survey=group")
        groups.setdefault(survey, set()).add(group)
    return {survey: frozenset(members) for survey, members in groups.items()}
