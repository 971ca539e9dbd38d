from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import etree

from services.mma.notices import read_notice
from services.mma.receivers import folder, http, injections, vtp
from services.mma.receivers.gcn_kafka import consumer_settings
from services.mma.receivers.intake import Intake, Taken
from services.mma.receivers.sandbox import Sandbox
from services.mma.receivers.settings import DEFAULT_TOPICS, ReceiverSettings
from shared.errors import RejectedRecordError
from shared.schemas.dead_letter import DeadLetter
from shared.schemas.notice import MAX_NOTICE_BYTES, Notice
from shared.testing.notices import lvk_json, voevent

WORD = "xyzzy"
GOOD = voevent("ivo://nasa.gsfc.gcn/SWIFT#BAT_1", params={"TrigID": "77"})


class Sent:
    """In place of the outbox: what would have gone to Kafka."""

    def __init__(self):
        self.messages = []

    async def send(self, topic, messages):
        self.messages += [(topic, message) for message in messages]


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def intake(sent):
    made = Intake(ReceiverSettings(topic_prefix="t."), sent)
    yield made
    made.close()


async def test_a_notice_is_taken_once_by_whatever_way_it_comes(intake, sent):
    assert (await intake.take("a", GOOD)).outcome == "taken"
    assert (await intake.take("b", GOOD)).outcome == "known"
    assert (await intake.take("c", gzip.compress(GOOD))).outcome == "known"
    ((topic, message),) = sent.messages
    assert topic == "t.notices"
    assert Notice.from_json(message.value).payload == GOOD


async def test_what_is_on_the_topic_is_not_taken_again(intake, sent):
    intake.remember(read_notice(GOOD, 0).notice_id)
    assert (await intake.take("a", GOOD)).outcome == "known"
    assert sent.messages == []


@pytest.mark.long
async def test_what_cannot_be_read_is_kept_with_its_reason(intake, sent):
    taken = await intake.take("gcn.classic.voevent.X", b"<VOEvent")
    assert (taken.outcome, taken.reason) == ("refused", "bad_xml")
    ((topic, message),) = sent.messages
    letter = DeadLetter.from_json(message.value)
    assert (topic, letter.origin_topic) == ("t.dead-letters", "gcn.classic.voevent.X")
    assert letter.payload == b"<VOEvent"
    assert (await intake.take("a", GOOD)).outcome == "taken"


@pytest.mark.long
async def test_a_parser_that_dies_is_refused_and_replaced():
    sandbox = Sandbox()
    await sandbox.read(GOOD, 0)
    (worker,) = sandbox._pool._processes
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(RejectedRecordError, match="parser_died"):
        await sandbox.read(lvk_json(), 0)
    assert (await sandbox.read(GOOD, 0)).event_id == "Swift_77"
    sandbox.close()


@pytest.mark.long
async def test_http_asks_for_the_token_and_answers_when_it_is_done(intake):
    settings = ReceiverSettings(receive_http_token=WORD)
    async with TestClient(TestServer(http.application(settings, intake.take))) as client:
        assert (await client.post("/notices", data=GOOD)).status == 401
        wrong = {"Authorization": "Bearer guess"}
        assert (await client.post("/notices", data=GOOD, headers=wrong)).status == 401
        right = {"Authorization": f"Bearer {WORD}"}
        answer = await client.post("/notices", data=GOOD, headers=right)
        assert (answer.status, (await answer.json())["event_id"]) == (201, "Swift_77")
        assert (await client.post("/notices", data=GOOD, headers=right)).status == 200
        refused = await client.post("/notices", data=b"\x80\x04.", headers=right)
        assert (refused.status, (await refused.json())["reason"]) == (422, "unknown_format")
        large = await client.post("/notices", data=bytes(MAX_NOTICE_BYTES + 1), headers=right)
        assert large.status == 413


async def test_http_without_a_token_lets_nobody_in(intake):
    async with TestClient(TestServer(http.application(ReceiverSettings(), intake.take))) as client:
        nothing = {"Authorization": "Bearer "}
        assert (await client.post("/notices", data=GOOD, headers=nothing)).status == 401


def role_of(document):
    root = etree.fromstring(document)
    return root.get("role"), root.findtext("{*}Origin")


async def spoken(messages, *, take):
    """What our subscriber answers to a broker that sends ``messages``, byte by byte."""
    answers, connections = [], []

    async def broker(reader, writer):
        connections.append(1)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for message in messages:
                for byte in message:
                    writer.write(bytes([byte]))
                    await writer.drain()
                answers.append(await vtp.read_message(reader))
        writer.close()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    task = asyncio.create_task(vtp.receive(f"{host}:{port}", "ivo://t/s", take))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if len(answers) >= len(messages) or len(connections) > 1:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()
    return answers, len(connections)


async def test_vtp_answers_as_the_protocol_wants():
    came = []

    async def take(source, payload):
        came.append(payload)
        return (
            Taken("refused", None, "bad", "nothing in it") if b"sour" in payload else Taken("known")
        )

    alive = vtp.transport("iamalive", "ivo://broker", "")
    ask = alive.replace(b"iamalive", b"authenticate").replace(b"www.telescope", b"telescope")
    sour = voevent("ivo://sour/s#1")
    messages = [vtp.framed(m) for m in (alive, GOOD, ask, sour, b"garbage")]
    answers, _ = await spoken(messages, take=take)
    assert [role_of(a) for a in answers] == [
        ("iamalive", "ivo://broker"),
        ("ack", "ivo://nasa.gsfc.gcn/SWIFT#BAT_1"),
        ("authenticate", "ivo://broker"),
        ("nak", "ivo://sour/s#1"),
        ("nak", "ivo://t/s"),
    ]
    assert came == [GOOD, sour, b"garbage"]


@pytest.mark.parametrize("length", [b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff"])
async def test_vtp_gives_up_a_line_with_impossible_lengths(length):
    async def take(*_):
        raise AssertionError

    answers, connections = await spoken([length], take=take)
    assert answers == []
    assert connections == 2


@pytest.mark.long
async def test_files_dropped_into_a_folder_are_taken_and_moved(tmp_path, intake, sent):
    (tmp_path / "good.xml").write_bytes(GOOD)
    (tmp_path / "bad.xml").write_bytes(b"<a/>")
    (tmp_path / "notes.txt").write_text("stays")
    task = asyncio.create_task(folder.receive(tmp_path, intake.take))
    for _ in range(200):
        await asyncio.sleep(0.1)
        if (tmp_path / "taken" / "good.xml").exists() and not (tmp_path / "bad.xml").exists():
            break
    task.cancel()
    assert (tmp_path / "refused" / "bad.xml").read_bytes() == b"<a/>"
    assert (tmp_path / "taken" / "good.xml").exists()
    assert (tmp_path / "notes.txt").exists()
    assert len(sent.messages) == 2


def test_an_injection_is_a_test():
    from datetime import UTC, datetime

    notice = read_notice(injections.injection(datetime(2024, 1, 15, tzinfo=UTC), 10.0, 0.0), 0)
    assert notice.role == "test"
    assert notice.localization.radius_deg == 1.0
    assert notice.event_time == "2024-01-15T00:00:00.000Z"


def test_an_empty_folder_setting_is_no_folder():
    assert ReceiverSettings(receive_folder="").receive_folder is None
    assert not ReceiverSettings(receive_folder="").is_anything_set()
    assert ReceiverSettings(inject_every_s=60).is_anything_set()


def test_gcn_gets_oauth_only_with_a_client():
    plain = consumer_settings(ReceiverSettings(gcn_bootstrap_servers="localhost:1"))
    assert not any(name.startswith("sasl") for name in plain)
    given = ReceiverSettings(gcn_client_id="me", gcn_client_secret=WORD)
    told = consumer_settings(given)
    assert told["sasl.oauthbearer.client.secret"] == WORD
    assert told["enable.auto.commit"] is False
    assert WORD not in json.dumps(given.model_dump(mode="json"))
    assert given.gcn_topic_names() == [*DEFAULT_TOPICS]
