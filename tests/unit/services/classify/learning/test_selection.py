"""Selection functions: shares in bins, and honest intervals."""

import json

import numpy as np
import pytest

from services.classify.learning.selection import Injected, efficiencies, wilson
from services.classify.verbs.learn.selection import _Followed, read_truth
from shared.kafka.envelopes import write_envelope
from shared.testing.batches import made_up_batch


def injected():
    return Injected(
        np.array(["a", "b", "c", "d"]), np.array(["SN Ia", "SN Ia", "SN II", "SN II"]),
        np.array([18.0, 20.5, 20.6, np.nan]), np.array([0.5, np.nan, 3.0, 3.0]),
    )  # fmt: skip


def test_shares_by_class_and_by_number():
    found = efficiencies(injected(), {"listed": {"a", "c", "d", "other"}}, "class_name")
    assert {one.bin_name: one.efficiency for one in found} == {"SN II": 1.0, "SN Ia": 0.5}
    by_mag = efficiencies(injected(), {"listed": {"a", "c"}}, "magnitude", (17.0, 20.0, 21.0))
    assert [(one.injected, one.passed) for one in by_mag] == [(1, 1), (2, 1)]
    assert all(one.low <= one.efficiency <= one.high for one in by_mag)


def test_the_interval_is_honest_at_the_ends():
    assert wilson(0, 10)[0] == 0.0
    assert 0.05 < wilson(0, 10)[1] < 0.2
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(50, 100)
    assert (low + high) / 2 == pytest.approx(0.5)


def test_what_the_archive_shows_is_counted(tmp_path):
    batch = made_up_batch(10, seed=1)
    names = batch.strings("object_id")
    path = tmp_path / "truth.jsonl"
    lines = [{"object_id": name, "model": "type_ia"} for name in (*names[:4], "never_seen")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    followed = _Followed(read_truth(path))
    followed.see(write_envelope(batch))
    assert followed.passed["archived"] == set(names[:4])
    assert followed.passed["classified"] == set()
    followed.deliver("rising", names[1], by_filter=True)
    followed.deliver("rising", "stranger", by_filter=True)
    assert followed.passed["delivered"] == followed.passed["out.rising"] == {names[1]}
    assert len(followed.injected().object_id) == 5
    assert np.isfinite(followed.injected().magnitude).sum() >= 1
    path.write_text("what\n")
    with pytest.raises(ValueError, match="line 1"):
        read_truth(path)
