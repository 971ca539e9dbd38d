"""Filters activated while distribute runs: no restart, nothing lost or doubled, even killed."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import time
from collections import Counter

import fastavro
import pytest

from shared.filters.kept import State, to_document
from shared.filters.user_filter import UserFilter
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.store import Collection, open_store
from shared.testing.published import published_batch
from tests.integration.services.distribute.test_worker import Mesh

pytestmark = [pytest.mark.kafka, pytest.mark.database]
SELECT = (
    "SELECT object_id, alert_id, mag(flux_njy) AS m, match_of('gcvs') AS star, lc_flux_njy"
    " FROM alerts WHERE reliability > 0.5"
)


@pytest.fixture
def mesh(kafka, database, tmp_path, request) -> Mesh:
    mesh = Mesh(kafka.bootstrap_servers, request.node.name, tmp_path)
    mesh.settings = mesh.settings.model_copy(
        update={
            "database_uri": type(mesh.settings.database_uri)(database.uri),
            "database_name": request.node.name[:40],
        }
    )
    mesh.environment = {
        "TOCSIN_FILTERS_FROM_DATABASE": "true",
        "TOCSIN_FILTERS_POLL_S": "0.3",
        "TOCSIN_DATABASE_URI": database.uri,
        "TOCSIN_DATABASE_NAME": request.node.name[:40],
    }
    return mesh


class River:
    """Sends envelopes, and remembers what filters must give."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.sent = 0
        self.positive: Counter[str] = Counter()
        self.reliable: Counter[str] = Counter()

    async def flow(self, alerts: int) -> list[str]:
        messages, ids = [], []
        for start in range(self.sent, self.sent + alerts, 25):
            batch = published_batch(25, seed=start, first_offset=start)
            for row in batch.record_batch.select(
                ["alert_id", "flux_njy", "reliability"]
            ).to_pylist():
                ids.append(row["alert_id"])
                self.positive[row["alert_id"]] += row["flux_njy"] > 0
                self.reliable[row["alert_id"]] += row["reliability"] > 0.5
            messages.append(Message(write_envelope(batch), partition=(start // 25) % 2))
        self.sent += alerts
        await self.mesh.send(Topic.CORRELATED, messages)
        return ids


async def until(mesh: Mesh, holds, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, (mesh.folder / "worker.log").read_text()[-3000:]
        await asyncio.sleep(0.2)


async def test_filters_come_and_go_while_alerts_flow(mesh: Mesh) -> None:
    await ensure_topics(mesh.settings, mesh_topics(mesh.settings))
    store = open_store(mesh.settings)
    await store.prepare()
    river = River(mesh)
    worker = mesh.worker()
    await river.flow(1000)

    async def started() -> bool:
        return sum((await mesh.ids("positive")).values()) > 0

    await until(mesh, started)
    chosen = UserFilter(name="chosen", select=SELECT, description="d", owner="vera")
    broken = UserFilter(name="broken", select="object_id::INT > 1", description="d", owner="x")
    now_ms = time.time_ns() // 1_000_000
    await store.insert(
        Collection.FILTERS, [to_document(each, State.ACTIVE, now_ms) for each in (chosen, broken)]
    )
    for _ in range(4):  # killed while the engine is made anew, and while it first runs
        await river.flow(500)
        await asyncio.sleep(0.7)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker = mesh.worker()

    async def paused() -> bool:
        found = await store.find(Collection.FILTERS, {"name": "broken", "state": "paused"})
        return bool(found) and "Conversion" in found[0]["reason"]

    await until(mesh, started)
    await river.flow(100)
    await until(mesh, paused)
    last = await river.flow(1000)
    expected = {one for one in last if river.reliable[one]}
    assert expected

    async def arrived() -> bool:
        counted = await mesh.ids("chosen")
        return expected <= counted.keys() and len(await mesh.ids("positive")) == sum(
            river.positive.values()
        )

    await until(mesh, arrived)
    worker.terminate()
    worker.wait(40)
    assert await mesh.ids("positive") == +river.positive
    counted = await mesh.ids("chosen")
    assert set(counted.values()) == {1}
    assert all(river.reliable[one] for one in counted)
    await _decodes(mesh, store)
    built_in = await store.find(Collection.FILTERS, {"version": 0})
    assert {one["name"] for one in built_in} == {"positive", "reliable"}
    store.close()


async def _decodes(mesh: Mesh, store) -> None:
    messages = await mesh.messages(mesh.out("chosen"))
    schema_id = int.from_bytes(messages[0].value[1:5], "big")
    (kept,) = await store.find(Collection.SCHEMAS, {"id": schema_id})
    assert kept["subject"] == f"{mesh.out('chosen')}-value"
    parsed = fastavro.parse_schema(json.loads(kept["schema"]))
    for message in messages[:100]:
        found = fastavro.schemaless_reader(io.BytesIO(message.value[5:]), parsed)
        assert list(found) == ["object_id", "alert_id", "m", "star", "lc_flux_njy"]
        assert found["object_id"].encode() == message.key
        assert found["alert_id"].encode() == dict(message.headers)["alert_id"]
        assert found["m"] is None or 5 < found["m"] < 35
        assert found["star"] is None or found["star"]["catalog"] == "gcvs"
