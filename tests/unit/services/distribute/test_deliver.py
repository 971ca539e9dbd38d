import io

import fastavro
import pytest

from services.distribute.deliver import DELIVERY_ID, outgoing_alerts, outgoing_voevents
from services.distribute.voevents.packet import Author
from shared.errors import RejectedRecordError
from shared.filters.engine import FilterEngine
from shared.filters.user_filter import UserFilter
from shared.kafka.records import Envelope, Record
from shared.schemas.avro.schema import alert_schema
from shared.testing.published import published_batch

PARSED = fastavro.parse_schema(alert_schema())


def record(partition, value=b"", offset=7):
    return Record("tocsin.alerts.correlated", partition, offset, 0, None, value)


def engine(**wheres):
    return FilterEngine(
        [UserFilter(name=n, where=w, description="x", owner="x") for n, w in wheres.items()]
    )


def alert(message):
    return fastavro.schemaless_reader(io.BytesIO(message.value[5:]), PARSED)


ENVELOPES = [
    Envelope(record(0), published_batch(20, seed=1, first_offset=100)),
    Envelope(record(1), published_batch(30, seed=2, first_offset=200)),
    Envelope(record(1), published_batch(0, seed=2)),
    Envelope(record(1), published_batch(10, seed=3, first_offset=300, survey="lsst")),
]


def test_each_filter_gets_the_alerts_it_wants_in_order():
    found = outgoing_alerts(
        engine(bright="flux_njy > 20000", none="false", reliable="reliability > 0.5"),
        ENVELOPES,
        "t.",
    )
    assert set(found) == {"t.out.bright", "t.out.reliable"}
    for topic, column, limit in (("bright", "flux_njy", 20000), ("reliable", "reliability", 0.5)):
        expected = [
            str(alert_id)
            for each in ENVELOPES
            for alert_id, value in zip(
                each.batch.strings("alert_id"), each.batch.strings(column), strict=True
            )
            if value > limit
        ]
        assert [alert(m)["alert_id"] for m in found[f"t.out.{topic}"]] == expected


def test_an_alert_is_encoded_once_for_all_its_filters():
    found = outgoing_alerts(engine(a="flux_njy > 0", b="flux_njy > 0"), ENVELOPES, "")
    assert all(one is other for one, other in zip(found["out.a"], found["out.b"], strict=True))


def test_a_message_says_where_it_comes_from_and_keeps_its_partition():
    message = outgoing_alerts(engine(a="true"), ENVELOPES[1:2], "")["out.a"][0]
    assert (message.partition, message.key) == (1, alert(message)["object_id"].encode())
    assert dict(message.headers) == {
        DELIVERY_ID: b"ztf_alerts/0/200",
        "alert_id": b"2000000200",
        "survey": b"ztf",
        "schema": b"alert.v1",
    }


def test_names_may_be_written_in_capitals():
    texts = {
        "capitals": "SELECT OBJECT_ID, MAG(FLUX_NJY) AS M FROM Alerts WHERE ALERTS.N_POINTS > 0",
        "plainly": "SELECT object_id AS OBJECT_ID, mag(flux_njy) AS M FROM alerts",
        "in_full": "SELECT Alerts.Object_Id AS OBJECT_ID, MAG(Alerts.Flux_Njy) AS M FROM alerts",
    }
    filters = [
        UserFilter(name=name, select=text, description="x", owner="x")
        for name, text in texts.items()
    ]
    found = outgoing_alerts(FilterEngine(filters), ENVELOPES, "")
    bodies = [[message.value[5:] for message in found[f"out.{name}"]] for name in texts]
    assert bodies[0] == bodies[1] == bodies[2]
    assert len(bodies[0]) == 60


def test_nothing_is_wanted_of_nothing():
    assert outgoing_alerts(engine(a="true"), [], "") == {}
    assert outgoing_alerts(engine(a="true"), ENVELOPES[2:3], "") == {}


def test_a_record_that_is_no_association_is_rejected():
    with pytest.raises(RejectedRecordError, match="bad_association"):
        outgoing_voevents([record(0, b'{"state": "new"}')], Author("org.tocsin", "x"))
