import io
import json
import math

import fastavro
import pyarrow as pa
import pytest

from services.distribute.deliver import outgoing_alerts
from shared.filters.engine import FilterEngine
from shared.filters.schemas import schema_of
from shared.filters.user_filter import UserFilter
from shared.kafka.records import Envelope, Record
from shared.schemas.avro.columns import columns_schema, confluent_header, encode_chunks
from shared.schemas.avro.registered import alert_registered, made_schema
from shared.testing.published import published_batch

VALUES = {
    "truth": ([True, None, False], pa.bool_()),
    "whole": ([1, None, -(2**40)], pa.int64()),
    "real": ([1.5, None, -0.25], pa.float64()),
    "word": (["é", None, ""], pa.string()),
    "list": ([[1, None], None, []], pa.list_(pa.int32())),
    "nested": ([[[1.5], None, []], None, [[None]]], pa.list_(pa.list_(pa.float32()))),
    "struct": ([{"a": 1, "b": [{"c": "x"}]}, None, {"a": None, "b": [None]}],
               pa.struct([("a", pa.int8()), ("b", pa.list_(pa.struct([("c", pa.string())])))])),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_computed_columns_are_read_back_by_fastavro(name):
    values, type_ = VALUES[name]
    field = pa.field(name, type_)
    schema = fastavro.parse_schema(json.loads(columns_schema("it", [(name, field, False)])))
    batch = pa.RecordBatch.from_arrays([pa.array(values, type_)], [name])
    chunks = encode_chunks(batch, name, field, is_published=False)
    found = [fastavro.schemaless_reader(io.BytesIO(chunk), schema)[name] for chunk in chunks]
    assert found == values


def test_ids_follow_from_the_text_and_are_no_alert_version():
    one, other = made_schema("out.a", '{"a":1}'), made_schema("out.b", '{"a":2}')
    assert one.id == made_schema("out.a", '{"a":1}').id == 1722870203 or one.id != other.id
    assert alert_registered().id < 2**20 <= one.id < 2**31
    assert confluent_header(one.id)[0] == 0


def test_a_select_is_read_back_as_it_was_computed():
    select = (
        "SELECT object_id AS name, ra_deg, mag(flux_njy) AS m, matches, survey_fields,"
        " match_of('gcvs') AS matches_gcvs, lc_flux_njy[1:2] AS two, 1.5 AS number,"
        " list_filter(lc_kind, lambda k: k = 0) AS kinds, transient_class"
        " FROM alerts WHERE flux_njy > 0"
    )
    each = UserFilter(name="chosen", select=select, description="x", owner="x")
    engine = FilterEngine([each])
    batch = published_batch(60, seed=4)
    record = Record("t", 1, 5, 0, None, b"")
    (messages,) = outgoing_alerts(engine, [Envelope(record, batch)], "").values()
    schema = schema_of(each, engine.outputs["chosen"])
    parsed = fastavro.parse_schema(json.loads(schema.text))
    rows = [row for row in batch.record_batch.to_pylist() if row["flux_njy"] > 0]
    assert len(messages) == len(rows) > 10
    for message, row in zip(messages, rows, strict=True):
        assert message.value[:5] == confluent_header(schema.id)
        found = fastavro.schemaless_reader(io.BytesIO(message.value[5:]), parsed)
        assert list(found) == ["name", "ra_deg", "m", "matches", "survey_fields", "matches_gcvs",
                               "two", "number", "kinds", "transient_class"]  # fmt: skip
        assert (found["name"], found["ra_deg"]) == (row["object_id"], row["ra_deg"])
        assert found["m"] == pytest.approx(31.4 - 2.5 * math.log10(row["flux_njy"]))
        gcvs = [m for m in row["matches"] if m["catalog"] == "gcvs"]
        assert (found["matches_gcvs"] or {}).get("source_id") == (
            gcvs[0]["source_id"] if gcvs else None
        )
        assert [m["source_id"] for m in found["matches"]] == [
            m["source_id"] for m in row["matches"]
        ]
        assert found["survey_fields"]["fid"] == row["survey_fields"]["fid"]
        assert found["kinds"] == [k for k in row["lc_kind"] if k == 0]
        assert len(found["two"]) == min(2, len(row["lc_flux_njy"]))
        assert found["number"] == 1.5
        assert dict(message.headers)["schema"] == b"out.chosen"


def test_columns_that_fail_pause_their_filter_only_and_other_rows_do_not_count():
    filters = {
        "whole": "flux_njy > 0",
        "fails": "SELECT object_id::INT AS i FROM alerts WHERE flux_njy > 0",
        "careful": "SELECT alert_id::INT AS i FROM alerts WHERE flux_njy > 0",
        "elsewhere": "SELECT object_id::INT AS i FROM alerts WHERE false",
    }
    engine = FilterEngine(
        [UserFilter(name=n, select=s, description="x", owner="x") for n, s in filters.items()]
    )
    envelope = Envelope(Record("t", 0, 0, 0, None, b""), published_batch(30))
    for _ in range(2):
        found = outgoing_alerts(engine, [envelope], "")
        assert set(found) == {"out.whole", "out.careful"}
        assert len(found["out.whole"]) == len(found["out.careful"])
    assert list(engine.paused) == ["fails"]
