"""What we encode, plain fastavro decodes: the same values, for every survey."""

import io
import json
import struct

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.alert_batch import AlertBatch
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.schema import SCHEMA_FILE, SCHEMA_ID, alert_schema, schema_text
from shared.schemas.published import PUBLISHED
from shared.testing.published import published_batch

PARSED = fastavro.parse_schema(alert_schema())


def decoded(message: bytes) -> dict:
    magic, schema_id = struct.unpack(">bi", message[:5])
    assert (magic, schema_id) == (0, SCHEMA_ID)
    body = io.BytesIO(message[5:])
    record = fastavro.schemaless_reader(body, PARSED)
    assert body.read() == b"", "bytes left over"
    return record


def assert_same(found: object, expected: object) -> None:
    if isinstance(expected, float) and np.isnan(expected):
        assert np.isnan(found)
    elif isinstance(expected, dict):
        assert set(found) == set(expected)
        for name in expected:
            assert_same(found[name], expected[name])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


def assert_round_trip(batch: AlertBatch) -> None:
    messages = encode_alerts(batch.record_batch)
    for message, row in zip(messages, batch.record_batch.to_pylist(), strict=True):
        assert_same(decoded(message), row)


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_every_published_column_comes_back(survey):
    assert_round_trip(published_batch(50, survey=survey, seed=1))


def test_long_columns_of_integers_come_back():
    edges = [sign * 2**k + d for k in range(0, 63, 7) for d in (-1, 0, 1) for sign in (1, -1)]
    edges += [2**63 - 1, -(2**63), 0]
    fields = [{"programid": None if n % 5 == 0 else value} for n, value in enumerate(edges)]
    changes = {"healpix29": edges, "survey_fields": [{**SCALARS, **field} for field in fields]}
    assert_round_trip(published_batch(len(edges), changes=changes))


SCALARS = {"drb": 0.5, "fid": 1, "isdiffpos": "t"}


def test_a_slice_of_a_batch_is_its_own_rows():
    assert_round_trip(published_batch(40, seed=2).slice(7, 13))
    rows = pa.array([3, 0, 39])
    assert_round_trip(AlertBatch(published_batch(40, seed=2).record_batch.take(rows)))


NUMBERS = {
    "flux_njy": st.none() | st.floats(width=64),
    "reliability": st.none() | st.floats(width=32),
    "healpix29": st.integers(-(2**63), 2**63 - 1),
    "origin_partition": st.integers(-(2**31), 2**31 - 1),
    "object_id": st.text(),
    "band": st.none() | st.text(max_size=3),
    "lc_flux_njy": st.lists(st.floats(width=32), max_size=4),
    "lc_mjd_tai": st.lists(st.floats(width=64), max_size=4),
    "lc_band": st.lists(st.integers(-128, 127), max_size=4),
}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.fixed_dictionaries(
            {name: st.lists(values, min_size=n, max_size=n) for name, values in NUMBERS.items()}
        )
    )
)
def test_any_value_comes_back(changes):
    assert_round_trip(published_batch(len(changes["band"]), changes=changes))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "drb": st.none() | st.floats(width=32),
                "fid": st.none() | st.integers(-(2**31), 2**31 - 1),
                "isdiffpos": st.none() | st.text(max_size=4),
                "programid": st.none() | st.integers(-(2**63), 2**63 - 1),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_survey_field_comes_back(fields):
    assert_round_trip(published_batch(len(fields), changes={"survey_fields": fields}))


def test_a_column_that_no_stage_has_added_yet_is_null():
    batch = published_batch(3).record_batch
    short = batch.select([name for name in batch.schema.names if name != "associations"])
    assert [decoded(m)["associations"] for m in encode_alerts(short)] == [None] * 3


def test_a_required_column_may_not_be_absent_or_null():
    batch = published_batch(3).record_batch
    with pytest.raises(ValueError, match="'ra_deg' is absent"):
        encode_alerts(batch.select([n for n in batch.schema.names if n != "ra_deg"]))
    nulls = batch.set_column(4, batch.schema.field("ra_deg"), pa.nulls(3, pa.float64()))
    with pytest.raises(ValueError, match="'ra_deg' holds null"):
        encode_alerts(nulls)


def test_the_committed_avsc_is_up_to_date():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m shared.schemas.avro.schema"
    )


def test_every_avro_field_says_what_it_is():
    fields = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["fields"]
    assert [f["name"] for f in fields] == [f.name for f in PUBLISHED]
    assert all(f["doc"] for f in fields)
