"""`tocsin up` and `tocsin down` with a real Kafka and a real database, on ports of their own."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from pymongo import MongoClient

from shared.local.database_server import find_database_program
from shared.local.kafka_distribution import CHECKOUT, find_kafka
from shared.local.server_process import LocalServerError, free_port, is_listening

pytestmark = [pytest.mark.kafka, pytest.mark.database]


def tocsin(environment, *arguments, expect=0):
    done = subprocess.run(
        [sys.executable, "-m", "services.console", *arguments],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def status(environment, expect=0):
    return json.loads(tocsin(environment, "status", "--json", expect=expect).stdout)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    try:
        find_kafka()
        find_database_program()
    except LocalServerError as error:
        pytest.skip(str(error))
    ports = {name: free_port() for name in ("KAFKA", "KAFKA_CONTROLLER", "DATABASE")}
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")},
        **{f"TOCSIN_{name}_PORT": str(port) for name, port in ports.items()},
        "TOCSIN_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "TOCSIN_KAFKA_HEAP_MIB": "384",
    }
    tocsin(environment, "up", "--services", "none")
    yield environment
    tocsin(environment, "down", "--wipe")


def pid_of(environment, name, expect=0):
    processes = status(environment, expect)["processes"]
    return next(process["pid"] for process in processes if process["name"] == name)


def wait_for(is_true, patience_s=60.0):
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.3)


def test_a_second_up_changes_nothing(mesh):
    before = pid_of(mesh, "kafka")
    assert "already up" in tocsin(mesh, "up").stderr
    assert pid_of(mesh, "kafka") == before


def test_a_large_message_goes_through_kafka_on_a_topic_that_up_made(mesh):
    value = os.urandom(4 * 2**20)  # as large as the largest survey packet allowed
    servers = f"127.0.0.1:{mesh['TOCSIN_KAFKA_PORT']}"
    producer = Producer({"bootstrap.servers": servers, "message.max.bytes": 8 * 2**20})
    failures = []
    producer.produce("ztf_alerts", value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(20) == 0
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["ztf_alerts"])
    message = consumer.poll(30.0)
    consumer.close()
    assert failures == [None]
    assert message is not None
    assert message.error() is None
    assert message.value() == value


def test_an_acknowledged_document_survives_kill_9_and_the_server_comes_back(mesh):
    uri = f"mongodb://127.0.0.1:{mesh['TOCSIN_DATABASE_PORT']}/?directConnection=true"
    with MongoClient(uri) as client:
        client.night.alerts.insert_one({"_id": "ZTF21abiuvdk", "alerts": 34})
    killed = pid_of(mesh, "database")
    os.kill(killed, signal.SIGKILL)
    port = int(mesh["TOCSIN_DATABASE_PORT"])
    wait_for(lambda: not psutil.pid_exists(killed) and is_listening(port))
    with MongoClient(uri, serverSelectionTimeoutMS=20_000) as client:
        assert client.night.alerts.find_one() == {"_id": "ZTF21abiuvdk", "alerts": 34}
    wait_for(lambda: pid_of(mesh, "database") not in (None, killed))
    database = next(p for p in status(mesh)["processes"] if p["name"] == "database")
    assert database["restarts"] == 1


@pytest.mark.parametrize(
    ("free", "named"), [("DATABASE", "--kafka-port"), ("KAFKA", "--database-port")]
)
def test_a_taken_port_is_named(mesh, tmp_path, free, named):
    other = {
        **mesh,
        "TOCSIN_STATE_DIR": str(tmp_path),
        f"TOCSIN_{free}_PORT": str(free_port()),
        "TOCSIN_KAFKA_CONTROLLER_PORT": str(free_port()),
    }
    refused = tocsin(other, "up", "--services", "none", expect=1)
    assert named in refused.stderr
    assert status(other, expect=3)["up"] is False


def test_servers_of_ones_own_are_used_and_left_alone(mesh, tmp_path):
    own = {
        **mesh,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{mesh['TOCSIN_KAFKA_PORT']}",
        "TOCSIN_DATABASE_URI": f"mongodb://127.0.0.1:{mesh['TOCSIN_DATABASE_PORT']}/",
        "TOCSIN_TOPIC_PREFIX": "other.",
    }
    tocsin(own, "up", "--external", "--services", "none")
    report = status(own)
    assert report["external"] is True
    assert report["processes"] == []
    tocsin(own, "down", "--wipe")
    assert pid_of(mesh, "kafka") is not None
    nowhere = {**own, "TOCSIN_DATABASE_URI": f"mongodb://127.0.0.1:{free_port()}/"}
    refused = tocsin(nowhere, "up", "--external", "--services", "none", expect=1)
    assert "TOCSIN_DATABASE_URI" in refused.stderr


def test_down_leaves_nothing_and_up_finds_the_data_again(mesh):
    report = status(mesh)
    pids = [report["supervisor_pid"], *(process["pid"] for process in report["processes"])]
    tocsin(mesh, "down")
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    state = os.listdir(mesh["TOCSIN_STATE_DIR"])  # noqa: PTH208  # names only
    assert not {"mesh.json", "supervisor.json", "lock"} & set(state)
    assert status(mesh, expect=3)["up"] is False
    tocsin(mesh, "up", "--services", "none")
    uri = f"mongodb://127.0.0.1:{mesh['TOCSIN_DATABASE_PORT']}/?directConnection=true"
    with MongoClient(uri) as client:
        assert client.night.alerts.count_documents({}) == 1


def test_wipe_forgets_the_data(mesh):
    tocsin(mesh, "down", "--wipe")
    assert os.listdir(mesh["TOCSIN_STATE_DIR"]) in ([], ["kafka"])  # noqa: PTH208
    assert "Nothing was running" in tocsin(mesh, "down").stderr
