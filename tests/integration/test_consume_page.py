"""Every snippet of docs/consume.md, taken from the page and run against our own servers."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.distribute.deliver import outgoing_statements
from services.distribute.voevents.packet import Author
from services.portal.app import create_app
from services.portal.serving import server_of
from services.portal.settings import PortalSettings
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message, Record
from shared.kafka.topics import Topic, out_topic
from shared.local.server_process import free_port
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.registered import alert_registered, subject_of
from shared.store import Collection, open_store
from shared.testing.associations import association
from shared.testing.published import published_batch

pytestmark = [pytest.mark.kafka, pytest.mark.database]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "consume.md").read_text()
SNIPPETS = re.findall(r"```(python|sh)\n(.*?)```", PAGE, re.DOTALL)
PREFIX = "tocsin."
NEEDS = {"gcn.listen": "gcn", "gcn_kafka": "gcn_kafka"}
OBJECTS = [f"ZTF26consume{n}" for n in range(4)]
AUTHORED = b"""<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="test"
 ivorn="ivo://org.example/me#1"><Who><AuthorIVORN>ivo://org.example</AuthorIVORN></Who></voe:VOEvent>
"""


class World:
    """Kafka and the portal with something on every topic, and the ports of the page's words."""

    def __init__(self, kafka, database, folder):
        self.kafka, self.folder = kafka, folder
        self.vtp, self.author, self.http = free_port(), free_port(), free_port()
        self.settings = PortalSettings(
            kafka_bootstrap_servers=kafka.bootstrap_servers, database_uri=SecretStr(database.uri),
            database_name="consume_page", topic_prefix=PREFIX, state_dir=folder,
            http_port=free_port(),
        )  # fmt: skip
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TOCSIN_PORTAL_URL": f"http://127.0.0.1:{self.settings.http_port}",
            "TOCSIN_STATE_DIR": str(folder),
        }

    def adapted(self, snippet):
        """The snippet with this test's ports in the place of the page's."""
        ports = {
            "127.0.0.1:19092": self.kafka.bootstrap_servers,
            "19116": str(self.settings.http_port),
            "19117": str(self.vtp),
            "8098": str(self.author),
        }
        for word, port in ports.items():
            snippet = snippet.replace(word, port)
        return snippet

    async def fill(self):
        topics = [*mesh_topics(self.settings), out_topic("bright_new_transients", PREFIX)]
        await ensure_topics(self.settings, topics)
        batch = published_batch(4, changes={"object_id": OBJECTS})
        headers = (("survey", b"ztf"),)
        messages = [Message(v, b"k", 0, headers) for v in encode_alerts(batch.record_batch)]
        outbox = Outbox(self.settings)
        await outbox.send(out_topic("bright_new_transients", PREFIX), messages)
        await outbox.stop()
        store = open_store(self.settings)  # as distribute registers what it writes
        subject = subject_of(out_topic("bright_new_transients", PREFIX))
        await store.insert(Collection.SCHEMAS, [alert_registered().document(subject, 1)])
        store.close()

    async def tell(self):
        """An association: a VOEvent and a GCN notice."""
        record = Record("t", 0, 0, int(time.time() * 1000), None, association().to_json())
        outbox = Outbox(self.settings)
        for topic, messages in outgoing_statements(
            [record], Author("org.tocsin", "Tests"), PREFIX
        ).items():
            await outbox.send(topic, messages)
        await outbox.stop()


@pytest.fixture(scope="module")
def world(kafka, database, tmp_path_factory):
    world = World(kafka, database, tmp_path_factory.mktemp("consume"))
    asyncio.run(world.fill())
    server = server_of(create_app(world.settings), world.settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    environment = world.environment | {
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOCSIN_VTP_PORT": str(world.vtp),
        "TOCSIN_VTP_AUTHOR_PORT": str(world.author),
        "TOCSIN_HTTP_PORT": str(world.http),
    }
    with (world.folder / "vtp.log").open("wb") as log:
        broker = subprocess.Popen(
            [sys.executable, "-m", "services.distribute.vtp"], env=environment, stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        for port in (world.settings.http_port, world.http):
            wait_ready(port)
        yield world
    finally:
        broker.terminate()
        broker.wait(20)
        server.should_exit = True
        thread.join(15)


def wait_ready(port):
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, "it is not ready"
        time.sleep(0.2)


def said(world, language, snippet, expected, folder, before=None, seconds=150.0):
    """Run a snippet until its output has ``expected``; returns the output."""
    out = folder / "out.txt"
    script = folder / ("snippet.py" if language == "python" else "snippet.sh")
    verb = f'tocsin() {{ "{sys.executable}" -m services.console "$@"; }}\n'
    script.write_text((verb if language == "sh" else "") + world.adapted(snippet))
    program = sys.executable if language == "python" else "sh"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [program, str(script)], stdout=file, stderr=subprocess.STDOUT, cwd=folder,
            env=world.environment, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + seconds
    try:
        while True:
            if before is not None:
                before(out)
            text = out.read_text(errors="replace")
            saved = "".join(p.read_text() for p in (folder / "events").rglob("*") if p.is_file())
            if all(word in text + saved for word in expected):
                return text
            if process.poll() is not None and process.returncode:
                raise AssertionError(text)
            assert time.monotonic() < deadline, text[-3000:]
            time.sleep(0.3)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
        process.wait(20)


def having(*words):
    (snippet,) = [each for each in SNIPPETS if all(word in each[1] for word in words)]
    return snippet


FROM_KAFKA = {
    "tocsin watch": ("tocsin watch",),
    "curl": ("curl",),
    "confluent-kafka": ("AvroDeserializer(",),
    "aiokafka": ("AIOKafkaConsumer(",),
    "fink-client style": ("consumer.poll(timeout=30)",),
}
OTHERS = {
    "comet": ("twistd",), "author": ("comet-sendvo",), "pygcn": ("gcn.listen",),
    "gcn-kafka": ("gcn_kafka",), "signature": ("is_genuine",),
}  # fmt: skip


def test_every_snippet_of_the_page_is_run_here():
    known = [having(*words) for words in (FROM_KAFKA | OTHERS).values()]
    assert sorted(known) == sorted(SNIPPETS)
    for language, snippet in SNIPPETS:
        assert len(snippet.strip().splitlines()) <= 15, (language, snippet)


@pytest.mark.parametrize("name", FROM_KAFKA)
def test_alerts_of_a_filter(world, tmp_path, name):
    count = 3 if name == "tocsin watch" else 4
    said(world, *having(*FROM_KAFKA[name]), OBJECTS[:count], tmp_path)


def test_gcn_kafka_reads_the_notices(world, tmp_path):
    if find_spec("gcn_kafka") is None:
        pytest.skip("pip install '.[clients-check]'")
    asyncio.run(world.tell())
    said(world, *having("gcn_kafka"), ["initial ZTF26abcdefg"], tmp_path)


def telling(world):
    """Sends an association again and again: a subscriber hears what comes after it."""
    last = 0.0

    def tell(_):
        nonlocal last
        if time.monotonic() - last > 2.0:
            last = time.monotonic()
            asyncio.run(world.tell())

    return tell


def test_pygcn_listens(world, tmp_path):
    if find_spec("gcn") is None:
        pytest.skip("pip install '.[clients-check]'")
    expected = ["ivo://org.tocsin/associations#"]
    said(world, *having("gcn.listen"), expected, tmp_path, telling(world))


def test_comet_subscribes_and_hands_in(world, tmp_path):
    if shutil.which("twistd", path=Path(sys.executable).parent) is None:
        pytest.skip("no Comet with Twisted: pip install '.[clients-check]'")
    expected = ["ivo://org.tocsin/associations#"]
    said(world, *having("twistd"), expected, tmp_path, telling(world))
    (tmp_path / "packet.xml").write_bytes(AUTHORED)
    language, snippet = having("comet-sendvo")
    done = subprocess.run(
        ["sh", "-c", world.adapted(snippet)], cwd=tmp_path, env=world.environment,
        capture_output=True, check=False,
    )  # fmt: skip
    assert language == "sh"
    assert done.returncode == 0, done.stderr


def test_the_check_of_a_signature():
    place: dict = {}
    exec(having("is_genuine")[1], place)  # noqa: S102  # the page's own
    key, body = b"a signing key of mine", b'{"a": 1}'
    headers = {"webhook-id": "x", "webhook-timestamp": "1790000000"}
    digest = hmac.digest(key, b"x.1790000000." + body, "sha256")
    headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    assert place["is_genuine"](headers, body, key)
    assert not place["is_genuine"](headers, body + b" ", key)


def test_the_page_names_the_topics_as_they_are():
    assert Topic.GCN_NOTICES.named(PREFIX) in PAGE
    assert Topic.VOEVENTS.named(PREFIX) in PAGE
