"""The bounded memory of alerts."""

import numpy as np
import pyarrow as pa

from services.ingest.recent import DUPLICATE, NEW, SENT_BEFORE, RecentAlerts, keys_of, origins_of


def keys(*ids, survey="ztf"):
    return keys_of(survey, pa.array([str(i) for i in ids]))


def origins(*offsets):
    return origins_of(["t"] * len(offsets), np.zeros(len(offsets), np.int64), np.array(offsets))


def test_verdicts():
    recent = RecentAlerts(100)
    recent.remember(keys(1, 2), origins(11, 12))
    verdict = recent.judge(keys(1, 2, 3, 3, 3), origins(11, 99, 13, 13, 14))
    assert verdict.tolist() == [SENT_BEFORE, DUPLICATE, NEW, SENT_BEFORE, DUPLICATE]


def test_surveys_do_not_share_identifiers():
    recent = RecentAlerts(100)
    recent.remember(keys(1), origins(1))
    assert recent.judge(keys(1, survey="lsst"), origins(2)).tolist() == [NEW]


def test_window_is_bounded_and_at_least_half_is_remembered():
    recent = RecentAlerts(1000)
    ids = np.arange(10_000)
    for part in np.split(ids, 100):
        recent.remember(keys(*part), origins(*part))
    verdict = recent.judge(keys(*ids), origins(*ids))
    remembered = ids[verdict == SENT_BEFORE]
    assert 500 <= len(remembered) <= 1000
    assert remembered.min() == 10_000 - len(remembered)


def test_more_than_a_window_at_once():
    recent = RecentAlerts(10)
    recent.remember(keys(*range(57)), origins(*range(57)))
    assert recent.judge(keys(56, 0), origins(56, 0)).tolist() == [SENT_BEFORE, NEW]


def test_keys_of_slices_and_long_texts():
    ids = pa.array(["a", "longer identifier", "", "z"])
    assert keys_of("s", ids.slice(1, 2)).tolist() == keys_of("s", ids).tolist()[1:3]
    assert (keys_of("s", ids) > 0).all()


def test_a_hundred_thousand_identifiers_do_not_collide():
    assert len(np.unique(keys(*range(10**18, 10**18 + 100_000)))) == 100_000
