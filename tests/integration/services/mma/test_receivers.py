"""Receivers on servers that are not ours: Kafka, an OAuth token endpoint, a Comet broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web
from confluent_kafka import Producer

from services.mma import receive
from services.mma.receivers import gcn_kafka, vtp
from services.mma.receivers.intake import Taken
from services.mma.receivers.settings import ReceiverSettings
from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.local.server_process import free_port
from shared.testing.notices import lvk_json, multi_order_map, voevent

TOPIC = "gcn.classic.voevent.TEST"


def packet(number):
    return voevent(f"ivo://nasa.gsfc.gcn/SWIFT#BAT_{number}", params={"TrigID": str(number)})


async def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.1)


async def count_on(settings, name):
    async with KafkaAdmin(settings) as admin:
        return sum((await admin.end_offsets([name])).values())


@pytest.mark.kafka
async def test_gcn_kafka_loses_nothing_and_takes_nothing_twice_over_restarts(kafka):
    servers = kafka.bootstrap_servers
    settings = ReceiverSettings(
        kafka_bootstrap_servers=servers, topic_prefix="recv.", gcn_bootstrap_servers=servers,
        gcn_topics=TOPIC, gcn_group_id="recv-test",
    )  # fmt: skip
    await ensure_topics(settings, [TOPIC])
    producer = Producer({"bootstrap.servers": servers, "message.max.bytes": MAX_MESSAGE_BYTES})
    # Just above Kafka's own default of 1 MiB, as notices with maps are.
    all_sky = multi_order_map(
        [4 * 4**6 + c for c in range(12 * 4**6)], [0.0795774715459] * 12 * 4**6
    )
    large = lvk_json(sky_map=all_sky)
    assert 2**20 < len(large) < MAX_MESSAGE_BYTES
    payloads = [packet(n) for n in range(20)] + [b"<VOEvent", large]
    for payload in payloads[:12]:
        producer.produce(TOPIC, payload)
    producer.flush()
    for rest in (payloads[12:], payloads[:5]):  # the second round is all repeats
        stopping = asyncio.Event()
        task = asyncio.create_task(receive.run(settings, stopping))
        for payload in rest:
            producer.produce(TOPIC, payload)
        producer.flush()
        for _ in range(300):
            await asyncio.sleep(0.2)
            if await count_on(settings, "recv.notices") >= len(payloads) - 1:
                break
        await asyncio.sleep(2.0)
        stopping.set()
        await task
    assert await count_on(settings, "recv.notices") == len(payloads) - 1
    assert await count_on(settings, "recv.dead-letters") == 1


async def test_tokens_are_asked_for_with_the_clients_credentials():
    asked = []

    async def token(request):
        asked.append((request.headers.get("Authorization", ""), await request.text()))
        return web.json_response({"error": "no"}, status=401)

    app = web.Application()
    app.router.add_post("/oauth2/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    settings = ReceiverSettings(
        gcn_bootstrap_servers="127.0.0.1:1", gcn_client_id="client",
        gcn_client_secret="secret",  # noqa: S106 - of the test's own server
        gcn_token_url=f"http://127.0.0.1:{port}/oauth2/token",
        gcn_security_protocol="sasl_plaintext",
        gcn_topics=TOPIC,
    )  # fmt: skip

    async def take(*_):
        return Taken("known")

    task = asyncio.create_task(gcn_kafka.receive(settings, take))
    try:
        await until(lambda: asked, 30)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await runner.cleanup()
    authorization, body = asked[0]
    assert authorization == "Basic Y2xpZW50OnNlY3JldA=="
    assert "grant_type=client_credentials" in body
    assert "kafka-public-consumer" in body


def comet():
    """Folder of programs of an environment with Comet (and Twisted) in it."""
    folder = Path(os.environ.get("TOCSIN_COMET_BIN") or Path(sys.executable).parent)
    if shutil.which("twistd", path=folder) is None:
        pytest.skip(
            "no Comet: make an environment with comet==3.1.0, set TOCSIN_COMET_BIN to its bin"
        )
    return folder


@contextlib.contextmanager
def broker(folder, tmp_path, receive_port, broadcast_port):
    arguments = [
        str(folder / "twistd"), "--nodaemon", f"--pidfile={tmp_path}/comet.pid", "comet",
        "--verbose", "--local-ivo=ivo://org.example.comet/broker",
        "--receive", f"--receive-port={receive_port}",
        "--broadcast", f"--broadcast-port={broadcast_port}", "--broadcast-test-interval=0",
        "--author-whitelist=127.0.0.0/8", "--subscriber-whitelist=127.0.0.0/8",
        f"--eventdb={tmp_path}",
    ]  # fmt: skip
    with (tmp_path / "comet.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=tmp_path)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


async def test_vtp_from_a_comet_broker_that_is_restarted(tmp_path):
    folder = comet()
    ports = free_port(), free_port()
    came = []

    async def take(source, payload):
        came.append(payload)
        return Taken("taken")

    task = asyncio.create_task(vtp.receive(f"127.0.0.1:{ports[1]}", "ivo://org.example/us", take))
    log = tmp_path / "comet.log"
    try:
        for number in (1, 2):
            with broker(folder, tmp_path, *ports):
                await until(lambda: b"New subscriber" in log.read_bytes() or
                            b"Subscriber at" in log.read_bytes(), 60)  # fmt: skip
                path = tmp_path / f"{number}.xml"
                path.write_bytes(valid_packet(number))
                sendvo = [str(folder / "comet-sendvo"), "-h", "127.0.0.1",
                          "-p", str(ports[0]), "-f", str(path)]  # fmt: skip
                sent = await asyncio.to_thread(subprocess.run, sendvo, capture_output=True)
                assert sent.returncode == 0, sent.stderr
                await until(lambda n=number: len(came) >= n, 60)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert came == [valid_packet(1), valid_packet(2)]


def valid_packet(number):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" '
        f'role="test" ivorn="ivo://org.example/stream#{number}">'
        "<Who><AuthorIVORN>ivo://org.example</AuthorIVORN></Who></voe:VOEvent>"
    ).encode()
