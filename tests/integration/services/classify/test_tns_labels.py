"""Labels from a Transient Name Server on loopback: its marker, key, limits and files."""

import io
import zipfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.classify.learning.tns.client import TnsClient
from services.classify.learning.tns.poll import files_due, poll
from services.classify.learning.tns.public_objects import labels_in
from shared.errors import RejectedRecordError
from shared.testing.tns_server import KEY, TnsServer

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
HEADING = (
    '"objid","name_prefix","name","ra","declination","redshift","type","reporting_group",'
    '"internal_names","lastmodified"\n'
)
ROWS = (
    '"1","SN","2021rhu","0.8143","16.1457","0.0035","SN Ia","ALeRCE",'
    '"ZTF21abiuvdk, ATLAS21rhu","2026-11-21 10:00:00"\n'
    '"2","AT","2026aaa","10.0","-5.0","","","ZTF","ZTF26aaaaaaa","2026-11-21 11:00:00"\n'
    '"3","SN","2026bbb","20.0","5.0","0.1","SN IIn","ZTF","Gaia26b","2026-11-21 11:00:00"\n'
    '"4","SN","2026ccc","west","5.0","0.1","SN II","ZTF","ZTF26ccc","2026-11-21 11:00:00"\n'
)


def zipped(text, name="tns_public_objects.csv"):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return sink.getvalue()


FILE = zipped('"2026-11-21 00:00:00 - 23:59:59"\n' + HEADING + ROWS)


@asynccontextmanager
async def tns(server, key=KEY):
    runner = web.AppRunner(server.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = TnsClient(f"http://127.0.0.1:{port}", 7, "tocsin_test", SecretStr(key))
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


def test_labels_are_of_our_objects_that_have_a_type():
    labels = list(labels_in(FILE, 5))
    assert [(one.object_id, one.survey, one.class_name) for one in labels] == [
        ("ZTF21abiuvdk", "ztf", "SN Ia")
    ]
    assert labels[0].reference == "SN 2021rhu"
    assert labels[0].said_ms == 1795255200000
    assert labels[0].taken_ms == 5


@pytest.mark.parametrize("content", [b"no zip", zipped("a,b\nc,d\n"), zipped("x", "readme.txt")])
def test_what_is_no_such_file_is_refused(content):
    with pytest.raises(RejectedRecordError, match="not_tns_objects"):
        list(labels_in(content, 5))


def test_days_and_the_hours_of_today_are_due_once():
    due = files_due(NOW, set())
    assert due[-1] == ("tns_public_objects_02.csv.zip", "20261122-02")
    assert ("tns_public_objects_20261121.csv.zip", "20261121") in due
    assert files_due(NOW, {mark for _, mark in due}) == []


async def test_a_poll_sends_each_file_once_and_obeys_the_limits(tmp_path):
    server = TnsServer(files={"tns_public_objects_20261121.csv.zip": FILE}, refuse_next=1)
    sent = []

    async def send(labels):
        sent.extend(labels)

    async with tns(server) as client:
        assert await poll(client, tmp_path / "done.json", send, NOW) == 1
        assert await poll(client, tmp_path / "done.json", send, NOW) == 0
    assert [one.object_id for one in sent] == ["ZTF21abiuvdk"]
    assert server.files_read.count("tns_public_objects_20261121.csv.zip") == 1


async def test_a_send_that_fails_is_made_up_for(tmp_path):
    server = TnsServer(files={"tns_public_objects_20261121.csv.zip": FILE})

    async def fail(labels):
        raise OSError("Kafka is away")

    sent = []

    async def send(labels):
        sent.extend(labels)

    async with tns(server) as client:
        with pytest.raises(OSError, match="away"):
            await poll(client, tmp_path / "done.json", fail, NOW)
        await poll(client, tmp_path / "done.json", send, NOW)
    assert len(sent) == 1


async def test_a_wrong_key_is_said_at_once():
    async with tns(TnsServer(), key="wrong") as client:
        with pytest.raises(RejectedRecordError, match="check its id, name and key"):
            await client.file("tns_public_objects_00.csv.zip")
