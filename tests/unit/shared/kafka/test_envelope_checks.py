"""What would crash a kernel or a dead letter is refused before anybody works on it."""

import struct
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest

from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.schemas.alert import INGESTED
from shared.testing.batches import made_up_batch

ALERTS = 6


@pytest.fixture
def batch():
    return made_up_batch(ALERTS, seed=4, points=(3, 9)).record_batch


def stream_of(batch, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def replaced(batch, name, array):
    at = batch.schema.get_field_index(name)
    columns = [array if k == at else column for k, column in enumerate(batch.columns)]
    schema = batch.schema.set(at, pa.field(name, array.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def why_refused(payload):
    with pytest.raises(RejectedRecordError) as caught:
        read_envelope(payload)
    assert caught.value.reason == "bad_envelope"
    return caught.value.detail


@pytest.mark.parametrize("field", INGESTED, ids=lambda field: field.name)
def test_every_column_of_ingest_is_needed_in_its_type_and_without_null(batch, field):
    assert f"0 columns {field.name}" in why_refused(stream_of(batch.drop_columns([field.name])))
    other = pa.array([1] * ALERTS, pa.int16())
    assert f"column {field.name} is int16" in why_refused(
        stream_of(replaced(batch, field.name, other))
    )
    empty = stream_of(replaced(batch, field.name, pa.nulls(ALERTS, field.type)))
    if field.nullable:
        read_envelope(empty)
    else:
        assert f"{field.name} holds null" in why_refused(empty)


def test_a_column_twice_is_refused(batch):
    twice = pa.RecordBatch.from_arrays(
        [*batch.columns, batch.column(0)], schema=batch.schema.append(batch.schema.field(0))
    )
    assert "2 columns alert_id" in why_refused(stream_of(twice))


@pytest.mark.parametrize("middle", [500_000_000, -500_000_000])
@pytest.mark.parametrize("name", ["lc_mjd_tai", "object_id"])
def test_offsets_that_leave_their_memory_are_refused(batch, name, middle):
    """First and last are right, which is all that Arrow's cheap validation looks at."""
    if pa.types.is_list(batch.column(name).type):
        offsets = batch.column(name).offsets.to_numpy().astype(np.int32)
    else:
        offsets = np.frombuffer(batch.column(name).buffers()[1], np.int32)[: ALERTS + 1]
    wild = offsets.copy()
    wild[2:-1] = middle
    payload = stream_of(batch)
    assert offsets.tobytes() in payload
    why_refused(payload.replace(offsets.tobytes(), wild.tobytes()))


def test_lists_of_different_lengths_are_refused(batch):
    short = pa.array([[1.0]] * ALERTS, pa.list_(pa.float32()))
    assert "differ in length" in why_refused(stream_of(replaced(batch, "lc_flux_njy", short)))


@pytest.mark.parametrize("name", ["lc_band", "lc_kind"])
@pytest.mark.parametrize("code", [-1, 6, 127, None])
def test_codes_that_there_are_not_are_refused(batch, name, code):
    lists = batch.column(name).to_pylist()
    lists[3][1] = code
    wrong = stream_of(replaced(batch, name, pa.array(lists, pa.list_(pa.int8()))))
    assert f"codes in {name}" in why_refused(wrong)


def test_text_that_is_not_utf8_is_refused(batch):
    offsets = np.arange(0, 2 * ALERTS + 2, 2, dtype=np.int32)
    text = pa.Array.from_buffers(
        pa.string(), ALERTS, [None, pa.py_buffer(offsets), pa.py_buffer(b"\xff\xfe" * ALERTS)]
    )
    why_refused(stream_of(replaced(batch, "object_id", text)))


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_batches_are_refused_unopened(batch, codec):
    assert "compressed" in why_refused(stream_of(batch, compression=codec))


def test_dictionaries_are_refused_unopened(batch):
    encoded = replaced(batch, "survey_fields", pa.array(["x"] * ALERTS).dictionary_encode())
    assert "dictionary" in why_refused(stream_of(encoded))


def test_empty_envelopes_and_columns_of_later_stages_pass(batch):
    assert len(read_envelope(stream_of(batch.slice(0, 0)))) == 0
    wider = batch.append_column("later", pa.array(range(ALERTS)))
    assert "later" in read_envelope(stream_of(wider)).record_batch.schema.names


def test_a_slice_of_a_slice_passes(batch):
    part = AlertBatch(batch).slice(2, 3)
    assert read_envelope(write_envelope(part)).record_batch.equals(part.record_batch)


def test_claims_of_the_flatbuffer_are_not_believed(batch):
    payload = bytearray(stream_of(batch))
    for at in range(0, 400, 4):
        payload[at : at + 4], saved = struct.pack("<i", -4), bytes(payload[at : at + 4])
        with suppress(RejectedRecordError):
            read_envelope(bytes(payload))
        payload[at : at + 4] = saved


def test_a_stream_that_begins_with_no_schema_is_refused_unread(batch):
    payload = stream_of(batch)
    schema_bytes = 8 + struct.unpack_from("<i", payload, 4)[0]
    assert "where the schema should be" in why_refused(payload[schema_bytes:])
