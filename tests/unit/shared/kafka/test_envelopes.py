"""Envelopes give back what was put in, and refuse what is not one."""

from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.schemas.fields import column
from shared.testing.batches import made_up_batch

EXTRA = column("extra", pa.int32(), "A new column.", null="not run")


def test_round_trip_keeps_everything() -> None:
    batch = made_up_batch(50, seed=1)
    again = read_envelope(write_envelope(batch))
    assert again.record_batch.equals(batch.record_batch)


def test_a_slice_travels_alone() -> None:
    batch = made_up_batch(50, seed=1)
    one = write_envelope(batch.slice(7, 1))
    again = read_envelope(one)
    assert len(one) < len(write_envelope(batch)) / 5
    assert again.record_batch.equals(batch.slice(7, 1).record_batch)
    assert again.light_curves.mjd_tai.tolist() == batch.slice(7, 1).light_curves.mjd_tai.tolist()


def test_a_stage_adds_and_never_rewrites() -> None:
    batch = made_up_batch(5)
    wider = batch.with_columns({EXTRA: pa.array(range(5), pa.int32())})
    assert wider.record_batch.schema.names == [*batch.record_batch.schema.names, "extra"]
    with pytest.raises(ValueError, match="never rewrites"):
        wider.with_columns({EXTRA: pa.array(range(5), pa.int32())})


@given(st.binary(max_size=200))
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(RejectedRecordError, match="bad_envelope"):
        read_envelope(junk)


@given(st.data())
def test_a_mutated_envelope_is_read_or_refused(data: st.DataObject) -> None:
    payload = bytearray(write_envelope(made_up_batch(3, seed=2)))
    for _ in range(data.draw(st.integers(1, 8))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with suppress(RejectedRecordError):
        read_envelope(bytes(payload))


def test_light_curves_of_a_filtered_batch() -> None:
    batch = made_up_batch(20, seed=3)
    keep = batch.floats("ra_deg") > 180
    curves = batch.rows(keep).light_curves
    expected = [len(v) for v, k in zip(batch.strings("lc_mjd_tai"), keep, strict=True) if k]
    assert curves.lengths.tolist() == expected
    assert len(curves.alert_index) == sum(expected)
