"""Alerts handed on in memory: the same rules as through a topic."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest

from shared.kafka.app import create_app
from shared.kafka.envelopes import read_envelope
from shared.kafka.hops import Hops
from shared.kafka.records import RejectedAlert, StageResult
from shared.kafka.river import add_stage, hand_on
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter
from shared.schemas.fields import column
from shared.settings import ServiceSettings
from shared.testing.batches import made_up_batch

FIRST = column("first", pa.int32(), "What the first stage adds.", null="never")
SECOND = column("second", pa.int32(), "What the second stage adds.", null="never")


class Kept:
    """Where an outbox would send, message by message."""

    def __init__(self):
        self.sent = {}

    async def send(self, topic, messages):
        self.sent.setdefault(topic, []).extend(messages)


def adding(field):
    def stage(batch):
        return batch.with_columns({field: pa.array([1] * len(batch), pa.int32())})

    return stage


@pytest.fixture
def process(tmp_path):
    """A leading app and a way to put stages beside it, nothing of it connected."""
    settings = ServiceSettings(state_dir=tmp_path, topic_prefix="t.")
    leader = create_app("ingest", settings)
    leader.outbox = Kept()

    def beside(name, source, sink, stage):
        app = create_app(name, settings, leader)
        add_stage(app, settings, source=source, sink=sink, stage=stage)
        return app

    return leader, settings, beside


def test_alerts_pass_through_all_stages_and_only_the_last_sends(process):
    leader, settings, beside = process
    beside("xmatch", Topic.ALERTS, Topic.MATCHED, adding(FIRST))
    last = beside("classify", Topic.MATCHED, Topic.CLASSIFIED, adding(SECOND))
    batch = made_up_batch(300)
    asyncio.run(hand_on(leader, settings, Topic.ALERTS, batch))
    assert set(leader.outbox.sent) == {"t.alerts.classified"}
    out = [read_envelope(m.value) for m in leader.outbox.sent["t.alerts.classified"]]
    ids = sorted(i for e in out for i in e.strings("alert_id"))
    assert ids == sorted(batch.strings("alert_id"))
    assert all(e.strings("first") == e.strings("second") == [1] * len(e) for e in out)
    assert {m.partition for m in leader.outbox.sent["t.alerts.classified"]} == {0, 1}
    assert not last.agents
    counted = last.metrics.registry.get_sample_value(
        "tocsin_records_out_total", {"service": "classify", "topic": "t.alerts.classified"}
    )
    assert counted == 300


def test_what_a_stage_refuses_becomes_its_own_dead_letter(process):
    leader, settings, beside = process

    def refuse_the_third(batch):
        rows = [i for i in range(len(batch)) if i != 2]
        rejected = [RejectedAlert(2, "bad_position", "not on the sky")]
        kept = batch.rows(pa.array([i in rows for i in range(len(batch))]).to_numpy(False))
        return StageResult(kept, rejected=rejected)

    beside("xmatch", Topic.ALERTS, Topic.MATCHED, refuse_the_third)
    batch = made_up_batch(5)
    asyncio.run(hand_on(leader, settings, Topic.ALERTS, batch))
    (letter,) = leader.outbox.sent["t.dead-letters"]
    told = DeadLetter.from_json(letter.value)
    assert (told.stage, told.reason) == ("xmatch", "bad_position")
    assert told.alert_id == batch.strings("alert_id")[2]
    out = [read_envelope(m.value) for m in leader.outbox.sent["t.alerts.matched"]]
    assert sum(len(e) for e in out) == 4


def test_a_bug_in_a_later_stage_costs_one_alert(process):
    leader, settings, beside = process
    batch = made_up_batch(40)
    culprit = batch.strings("alert_id")[17]

    def breaks(part):
        if culprit in part.strings("alert_id"):
            raise ZeroDivisionError("one alert triggers it")
        return part

    beside("xmatch", Topic.ALERTS, Topic.MATCHED, adding(FIRST))
    beside("classify", Topic.MATCHED, Topic.CLASSIFIED, breaks)
    asyncio.run(hand_on(leader, settings, Topic.ALERTS, batch))
    (letter,) = leader.outbox.sent["t.dead-letters"]
    told = DeadLetter.from_json(letter.value)
    assert (told.stage, told.reason, told.alert_id) == ("classify", "bug", culprit)
    assert "ZeroDivisionError" in told.traceback
    out = [read_envelope(m.value) for m in leader.outbox.sent["t.alerts.classified"]]
    ids = [i for e in out for i in e.strings("alert_id")]
    assert sorted([*ids, culprit]) == sorted(batch.strings("alert_id"))


def test_one_topic_has_one_reader_in_a_process():
    hops = Hops()
    hops.join("t.alerts", None)
    with pytest.raises(ValueError, match="two stages"):
        hops.join("t.alerts", None)
