"""The VOEvent broker and the clients that astronomers have: Comet three ways, and pygcn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from services.distribute.deliver import outgoing_voevents
from services.distribute.voevents.packet import Author
from shared.kafka.admin import ensure_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message, Record
from shared.kafka.topics import Topic
from shared.local.server_process import free_port
from shared.settings import ServiceSettings
from shared.testing.associations import association

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[4]
PYGCN = """
import sys, gcn
def handler(payload, root):
    open(sys.argv[2], "ab").write(payload + b"\\0")
gcn.listen(host="127.0.0.1", port=int(sys.argv[1]), ivorn="ivo://t.est/anon", handler=handler)
"""


def comet():
    """Folder of programs of an environment with Comet and Twisted in it."""
    folder = Path(os.environ.get("TOCSIN_COMET_BIN") or Path(sys.executable).parent)
    if shutil.which("twistd", path=folder) is None:
        pytest.skip("no Comet with Twisted: pip install '.[clients-check]'")
    return folder


def author_packet(number, mag):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" '
        f'role="test" ivorn="ivo://org.example/stream#{number}">\n'
        "<Who><AuthorIVORN>ivo://org.example</AuthorIVORN></Who>"
        f'<What><Param name="mag" value="{mag}"/></What></voe:VOEvent>\n'
    ).encode()


def voevents(count):
    """Packets as distribute writes them."""
    records = []
    for number in range(count):
        one = association(alert_id=str(number), event_id=f"GRB2611{number:02d}A")
        records.append(Record("associations", 0, number, 1_795_305_601_000, None, one.to_json()))
    return outgoing_voevents(records, Author("org.tocsin", "Tests"))


@contextlib.contextmanager
def running(arguments, log_file, **environment):
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [str(a) for a in arguments], stdout=log, stderr=log, cwd=log_file.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


async def until(condition, seconds=150.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.1)


@pytest.fixture
async def broker(kafka, tmp_path):
    """``python -m services.distribute.vtp`` on the session's Kafka: both ports, and its log."""
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"{tmp_path.name}."
    )
    topics = [t.named(settings.topic_prefix) for t in (Topic.VOEVENTS, Topic.VOEVENTS_RECEIVED)]
    await ensure_topics(settings, topics)
    port, author_port, http_port = free_port(), free_port(), free_port()
    log = tmp_path / "vtp.log"
    environment = {
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_VTP_PORT": str(port),
        "TOCSIN_VTP_AUTHOR_PORT": str(author_port),
        "TOCSIN_HTTP_PORT": str(http_port),
    }
    with running([sys.executable, "-m", "services.distribute.vtp"], log, **environment):
        await until(lambda: ready(http_port))
        yield settings, port, author_port, log


def ready(http_port):
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/ready", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def comet_subscriber(folder, tmp_path, name, port, *more):
    place = tmp_path / name
    place.mkdir()
    arguments = [
        folder / "twistd", "--nodaemon", f"--pidfile={place}/pid", "comet", "--verbose",
        f"--local-ivo=ivo://org.example.{name}/sub", f"--remote=127.0.0.1:{port}",
        f"--eventdb={place}", "--save-event", f"--save-event-directory={place}/events", *more,
    ]  # fmt: skip
    return running(arguments, place / "log")


def saved(tmp_path, name):
    return sorted(
        path.read_bytes() for path in (tmp_path / name / "events").rglob("*") if path.is_file()
    )


def subscribers(log):
    return log.read_bytes().count(b'vtp_subscriber"') + log.read_bytes().count(b"vtp_subscriber ")


async def test_comet_as_author_subscriber_and_filtering_subscriber_and_pygcn(broker, tmp_path):
    folder = comet()
    if find_spec("gcn") is None:
        pytest.skip("no pygcn: pip install '.[clients-check]'")
    settings, port, author_port, log = broker
    heard = tmp_path / "pygcn.bytes"
    (tmp_path / "listen.py").write_text(PYGCN)
    with (
        comet_subscriber(folder, tmp_path, "all", port),
        comet_subscriber(
            folder, tmp_path, "bright", port, '--filter=//Param[@name="mag" and @value < 20]'
        ),
        running([sys.executable, tmp_path / "listen.py", port, heard], tmp_path / "pygcn.log"),
    ):
        await until(lambda: subscribers(log) >= 3)
        await asyncio.sleep(2.0)  # the filtering one has told its filters by then
        ours = voevents(2)
        outbox = Outbox(settings)
        await outbox.send(
            Topic.VOEVENTS.named(settings.topic_prefix),
            [Message(m.value, m.key, 0, m.headers) for m in ours],
        )
        await outbox.stop()
        bright, faint = author_packet(1, 19.1), author_packet(2, 21.5)
        for number, content in enumerate((bright, faint, bright)):  # the third is a duplicate
            path = tmp_path / f"{number}.xml"
            path.write_bytes(content)
            sendvo = [folder / "comet-sendvo", "-h", "127.0.0.1", "-p", str(author_port), "-f"]
            sent = await asyncio.to_thread(subprocess.run, [*sendvo, path], capture_output=True)
            assert sent.returncode == 0, sent.stderr
        everything = sorted([*(m.value for m in ours), bright, faint])
        await until(lambda: len(saved(tmp_path, "all")) >= len(everything))
        await until(lambda: heard.exists() and heard.read_bytes().count(b"\0") >= len(everything))
        await until(lambda: bright in saved(tmp_path, "bright"))
        await asyncio.sleep(1.0)
    assert saved(tmp_path, "all") == everything
    assert sorted(heard.read_bytes().split(b"\0")[:-1]) == everything
    mags = [m.value for m in ours if b'name="mag"' in m.value and b'value="2' not in m.value]
    assert faint not in saved(tmp_path, "bright")
    assert set(saved(tmp_path, "bright")) - {bright} <= set(mags)
