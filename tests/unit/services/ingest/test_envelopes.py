"""Alerts to messages."""

import zlib

import numpy as np
import pytest

from services.ingest.normalise import normalise
from shared.kafka.envelopes import MAX_ALERTS_PER_ENVELOPE, read_envelope
from shared.kafka.partitions import ENVELOPE_BYTES, envelopes_of


def batch_of(packets_of, book, *payloads):
    return normalise(packets_of(*payloads), book, None, 0).batches[0].batch


def test_one_partition_for_each_object_and_order_kept(samples, book, packets_of):
    names = [f"ZTF{k % 7}" for k in range(40)]
    batch = batch_of(
        packets_of,
        book,
        *(samples["ztf"](top={"objectId": n, "candid": k + 1}) for k, n in enumerate(names)),
    )
    seen = {}
    for message in envelopes_of(batch, 3):
        envelope = read_envelope(message.value)
        for name, alert_id in zip(
            envelope.strings("object_id"), envelope.strings("alert_id"), strict=True
        ):
            assert message.partition == zlib.crc32(name.encode()) % 3
            seen.setdefault(name, []).append(int(alert_id))
    assert sum(map(len, seen.values())) == 40
    assert all(ids == sorted(ids) for ids in seen.values())


@pytest.mark.parametrize(
    ("alerts", "sizes"),
    [(1, [1]), (200, [200]), (256, [256]), (257, [128, 129]), (600, [200, 200, 200])],
)
def test_few_and_even_envelopes(samples, book, packets_of, alerts, sizes):
    batch = batch_of(packets_of, book, *[samples["ztf"]()] * alerts)
    envelopes = [read_envelope(m.value) for m in envelopes_of(batch, 1)]
    assert [len(e) for e in envelopes] == sizes
    assert max(sizes) <= MAX_ALERTS_PER_ENVELOPE
    offsets = [o for e in envelopes for o in e.strings("origin_offset")]
    assert offsets == batch.strings("origin_offset")


def test_long_light_curves_make_small_envelopes(samples, book, packets_of):
    history = [
        {
            "jd": 2450000.5 + k,
            "fid": 1,
            "diffmaglim": None,
            "isdiffpos": "t",
            "magpsf": 19.0,
            "sigmapsf": 0.1,
        }
        for k in range(2000)
    ]
    batch = batch_of(packets_of, book, *[samples["ztf"](prv=history)] * 60)
    messages = list(envelopes_of(batch, 1))
    assert len(messages) > 3
    assert max(len(m.value) for m in messages) < 2 * ENVELOPE_BYTES
    assert np.sum([len(read_envelope(m.value)) for m in messages]) == 60
