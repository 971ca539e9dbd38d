"""A registry keeps order and refuses two of a name."""

from dataclasses import dataclass

import pytest

from shared.registry import registry


@dataclass(frozen=True)
class Entry:
    name: str


def test_order_is_kept() -> None:
    assert list(registry([Entry("b"), Entry("a")])) == ["b", "a"]


def test_duplicates_are_refused() -> None:
    with pytest.raises(ValueError, match="'a'"):
        registry([Entry("a"), Entry("a")])
