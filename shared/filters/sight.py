"""What a filter may see. Its topic tells whoever may read it, so that is what counts.

A public filter sees what is public. A private one sees what everybody sees who may read its topic:
its owner, or its group.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.filters.user_filter import UserFilter


def may_receive(
    each: UserFilter, survey: str, private_surveys: Mapping[str, frozenset[str]]
) -> bool:
    """Whether a filter gets alerts of a survey, given the groups that private surveys are for."""
    groups = private_surveys.get(survey)
    if groups is None:
        return True
    if each.is_public:
        return False
    readers = {each.group} if each.group is not None else set(each.owner_groups)
    return bool(groups & readers)


def private_eyes(each: UserFilter) -> str | None:
    """Whose private watchlists and regions a filter sees; None: nobody's."""
    return None if each.is_public or each.group is not None else each.owner
