"""Documents: what the archive makes of envelopes and records."""

import bson
import pyarrow as pa
import pytest

from services.archive.store import (
    document_id,
    envelope_document,
    object_updates,
    record_document,
    renamed_for_new_topic,
)
from shared.archive.nights import night_of
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.records import Envelope, Record
from shared.schemas.alert import ASSOCIATION, CORRELATED
from shared.testing.batches import made_up_batch


def with_associations(batch, events_by_row):
    values = [
        [
            {
                "event_id": event,
                "notice_type": "lvk",
                "event_version": 1,
                "role": "observation",
                "credible_level": 0.4,
                "separation_deg": None,
                "time_offset_days": 0.1,
            }
            for event in events_by_row.get(row, ())
        ]
        for row in range(len(batch))
    ]
    return batch.with_columns({CORRELATED[0]: pa.array(values, pa.list_(ASSOCIATION))})


def envelope_of(batch, offset=7):
    value = write_envelope(batch)
    return Envelope(Record("tocsin.alerts.correlated", 1, offset, 123, None, value), batch)


def test_a_document_holds_the_envelope_unchanged_and_what_to_find_it_by():
    batch = made_up_batch(5)
    envelope = envelope_of(batch)
    document = bson.decode(bson.encode(envelope_document(envelope)))
    assert document["_id"] == "tocsin.alerts.correlated-1-7"
    assert document["batch"] == envelope.record.value
    assert read_envelope(document["batch"]).record_batch.equals(batch.record_batch)
    assert document["object_ids"] == batch.strings("object_id")
    assert document["alert_ids"] == batch.strings("alert_id")
    assert (document["survey"], document["n_alerts"], document["is_simulated"]) == ("ztf", 5, True)
    assert document["mjd_tai_min"] == batch.floats("mjd_tai").min()


def test_an_envelope_without_alerts_is_kept_too():
    document = envelope_document(envelope_of(made_up_batch(0)))
    assert (document["n_alerts"], document["night"], document["object_ids"]) == (0, None, [])
    assert object_updates([with_associations(made_up_batch(0), {})]) == {}
    bson.encode(document)


@pytest.mark.parametrize(
    ("evening_mjd", "hours_utc"),
    [
        (59400, (26.0, 37.0)),  # Palomar in winter: 02:00 to 13:00 UTC of the next day
        (59400, (22.5, 35.0)),  # Cerro Pachón: 22:30 to 11:00, across midnight UTC
        (59400, (28.5, 40.0)),  # Haleakalā: 04:30 to 16:00 UTC of the next day
    ],
)
def test_a_night_is_one_number_whatever_the_observatory(evening_mjd, hours_utc):
    assert {night_of(evening_mjd + hours / 24) for hours in hours_utc} == {evening_mjd}


def test_only_objects_with_an_association_get_a_document_of_their_own():
    batch = with_associations(made_up_batch(4), {1: ["S1", "S2"], 3: ["S1"]})
    updates = object_updates([batch])
    objects = batch.strings("object_id")
    assert set(updates) == {f"ztf:{objects[1]}", f"ztf:{objects[3]}"}
    assert updates[f"ztf:{objects[1]}"]["$addToSet"]["event_ids"] == {"$each": ["S1", "S2"]}
    assert updates[f"ztf:{objects[3]}"]["$set"]["ra_deg"] == batch.ra_deg[3]


def test_two_alerts_of_an_object_make_one_update():
    first = with_associations(made_up_batch(1), {0: ["S1"]})
    later = with_associations(made_up_batch(1, seed=3), {0: ["S0"]})
    (update,) = object_updates([first, later]).values()
    assert update["$addToSet"] == {
        "event_ids": {"$each": ["S0", "S1"]}, "reasons": {"$each": ["associated"]},
    }  # fmt: skip
    times = [float(b.floats("mjd_tai")[0]) for b in (first, later)]
    assert update["$min"] == {"first_mjd_tai": min(times)}
    assert update["$max"] == {"last_mjd_tai": max(times)}


def test_a_batch_that_mma_has_not_seen_makes_no_object():
    assert object_updates([made_up_batch(3)]) == {}


def test_a_record_is_kept_whole_and_found_by_its_scalars():
    value = b'{"event_id": "S190425z", "far_hz": 1.5, "n": 18446744073709551610,'
    value += b'"payload": "' + b"x" * 2000 + b'", "nested": {"a": 1}, "$where": "1"}'
    document = record_document(Record("tocsin.notices", 0, 3, 9, b"S190425z", value))
    assert bson.decode(bson.encode(document))["value"] == value
    assert document["key"] == "S190425z"
    assert document["fields"] == {
        "event_id": "S190425z",
        "far_hz": 1.5,
        "n": "18446744073709551610",
    }


@pytest.mark.parametrize("value", [b"", b"not json", b"[1, 2]", b"\xff\xfe", b"null"])
def test_a_record_that_is_no_json_object_is_kept_all_the_same(value):
    document = record_document(Record("t", 0, 0, 0, None, value))
    assert document["fields"] == {}
    assert document["value"] == value
    bson.encode(document)


def test_ids_tell_topics_made_anew_apart():
    record = Record("t", 0, 0, 5, None, b"{}")
    assert document_id(record) == "t-0-0"
    assert renamed_for_new_topic(record_document(record))["_id"] == "t-0-0@5"
