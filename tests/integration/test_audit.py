"""The audit is believed because it finds what is done behind its back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from services.console.audit import STAGES, weigh
from services.console.settings import LocalSettings
from shared.alert_batch import AlertBatch
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic, out_topic
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings
from shared.testing.batches import made_up_batch

pytestmark = pytest.mark.kafka
PACKETS = 60


def alerts(first: int, number: int, topic: str) -> AlertBatch:
    batch = made_up_batch(number, seed=first, first_offset=first).record_batch
    position = batch.schema.get_field_index("origin_topic")
    renamed = batch.set_column(position, batch.schema.field(position), pa.array([topic] * number))
    return AlertBatch(renamed)


class Ledger:
    """A finished mesh, written by hand: 60 packets, 57 alerts, 3 dead letters of ingest."""

    def __init__(self, servers: str, name: str) -> None:
        self.survey = f"{name}_packets"
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=servers,
            topic_prefix=f"{name}.",
            partitions=1,
            survey_topics=f"ztf={self.survey}",
        )
        self.outbox = Outbox(self.settings)
        self.river: dict[Topic, list[bytes]] = {}

    async def write(self) -> None:
        names = [*mesh_topics(self.settings), self.survey, self.out]
        await ensure_topics(self.settings, names)
        await self.send(self.survey, [b"packet"] * PACKETS)
        for offset in (57, 58, 59):
            await self.letter(offset)
        envelopes = [alerts(start, 19, self.survey) for start in (0, 19, 38)]
        for _, topic in STAGES:
            self.river[topic] = [write_envelope(e) for e in envelopes]

    @property
    def out(self) -> str:
        return out_topic("bright", self.settings.topic_prefix)

    async def letter(self, offset: int, stage: str = "ingest") -> None:
        letter = DeadLetter(
            stage=stage, reason="truncated", detail="ends early", origin_topic=self.survey,
            origin_partition=0, origin_offset=offset,
        )  # fmt: skip
        await self.send(self.named(Topic.DEAD_LETTERS), [letter.to_json()])

    def named(self, topic: Topic) -> str:
        return topic.named(self.settings.topic_prefix)

    async def send(self, topic: str, values: list[bytes]) -> None:
        await self.outbox.send(topic, [Message(v) for v in values])

    async def deliver(self, offset: int) -> None:
        headers = (("delivery_id", f"{self.survey}/0/{offset}".encode()),)
        await self.outbox.send(self.out, [Message(b"alert", headers=headers)])

    async def publish(self):
        for topic, envelopes in self.river.items():
            await self.send(self.named(topic), envelopes)
        await self.outbox.stop()
        return await weigh(self.settings, with_database=False)


@pytest.fixture
async def ledger(kafka, request) -> Ledger:
    name = request.node.name.replace("[", "-").replace("]", "")
    made = Ledger(kafka.bootstrap_servers, name)
    await made.write()
    return made


async def test_an_honest_mesh_balances(ledger: Ledger) -> None:
    await ledger.deliver(5)
    account = await ledger.publish()
    assert account.balances, account.to_json()
    ingest = account.lines[0]
    assert (ingest.came_in, ingest.went_out, ingest.dead_letters) == (60, 57, 3)
    assert account.edges[0].found == 1


@pytest.mark.parametrize("stage", range(4))
async def test_a_deleted_envelope_is_found(ledger: Ledger, stage: int) -> None:
    name, topic = STAGES[stage]
    del ledger.river[topic][1]
    account = await ledger.publish()
    faults = {line.stage: line.missing for line in account.lines if line.missing}
    assert faults == {name: 19}
    assert not account.balances


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_fused_river_is_one_stage(ledger: Ledger, lost: int) -> None:
    """What is handed on in memory is on no topic; a loss between packet and end still shows."""
    ledger.settings = LocalSettings(
        **{name: getattr(ledger.settings, name) for name in ServiceSettings.model_fields}
        | {"fused": True}
    )
    await ledger.letter(0, stage="xmatch")  # a second letter: 0 is set aside by a later stage
    envelopes = ledger.river[Topic.CORRELATED]
    del envelopes[1 : 1 + lost]
    envelopes[0] = write_envelope(alerts(1, 18, ledger.survey))
    ledger.river = {Topic.CORRELATED: envelopes}
    account = await ledger.publish()
    (line,) = account.lines
    assert (line.stage, line.dead_letters, line.missing) == ("river", 4, 19 * lost)
    assert account.balances == (not lost)


async def test_a_changed_flux_is_found(ledger: Ledger) -> None:
    batch = alerts(19, 19, ledger.survey).record_batch
    position = batch.schema.get_field_index("flux_njy")
    flux = np.array(batch.column(position))
    flux[4] += 1e-6
    changed = batch.set_column(position, batch.schema.field(position), pa.array(flux))
    ledger.river[Topic.CLASSIFIED][1] = write_envelope(AlertBatch(changed))
    account = await ledger.publish()
    assert [line.changed_offsets for line in account.lines if line.changed] == [[23], [23]]
    assert not account.balances


async def test_a_repeat_inside_is_shown_and_allowed(ledger: Ledger) -> None:
    ledger.river[Topic.MATCHED].append(ledger.river[Topic.MATCHED][0])
    account = await ledger.publish()
    assert [line.repeated for line in account.lines] == [0, 19, 0, 0]
    assert account.balances


async def test_a_repeat_at_the_edge_is_a_fault(ledger: Ledger) -> None:
    await ledger.deliver(5)
    await ledger.deliver(5)
    account = await ledger.publish()
    assert account.edges[0].repeated == 1
    assert not account.balances


async def test_an_alert_from_nowhere_is_a_fault(ledger: Ledger) -> None:
    await ledger.deliver(58)
    stranger = alerts(500, 1, ledger.survey)
    ledger.river[Topic.ALERTS].append(write_envelope(stranger))
    account = await ledger.publish()
    assert account.edges[0].strangers == 1
    assert account.strangers
    assert not account.balances


async def test_a_corrupted_envelope_is_found(ledger: Ledger) -> None:
    ledger.river[Topic.CORRELATED][2] = b"\xff" * 4000
    account = await ledger.publish()
    assert [line.missing for line in account.lines] == [0, 0, 0, 19]
    assert any("bad_envelope" in stranger for stranger in account.strangers)
