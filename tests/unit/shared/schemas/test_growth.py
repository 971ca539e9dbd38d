"""The published schema grows only by nullable columns."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from shared.schemas.growth import breaches, described
from shared.schemas.published import PUBLISHED

SNAPSHOT = Path(__file__).parent / "published.json"


def test_the_published_schema_only_grew():
    published = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert breaches(published, described(PUBLISHED)) == []


OLD = [
    pa.field("a", pa.int64(), nullable=False),
    pa.field("b", pa.list_(pa.struct([pa.field("x", pa.float64())]))),
]


@pytest.mark.parametrize(
    ("new", "breach"),
    [
        ([*OLD, pa.field("c", pa.string())], None),
        ([OLD[0], pa.field("c", pa.string()), OLD[1]], None),
        ([*OLD, pa.field("c", pa.string(), nullable=False)], "c is new and not nullable"),
        (OLD[:1], "b is gone"),
        ([OLD[0].with_nullable(True), OLD[1]], "a was int64 and is nullable int64"),
        ([pa.field("a", pa.int32(), nullable=False), OLD[1]], "a was int64 and is int32"),
        ([OLD[1], OLD[0]], "columns changed their order"),
        ([OLD[0], pa.field("b", pa.list_(pa.struct([])))], "b.x is gone"),
    ],
)
def test_what_may_change(new, breach):
    assert breaches(described(OLD), described(new)) == ([breach] if breach else [])
