"""The supervisor against small real processes: dying, hanging, draining, left behind."""

import errno
import http.server
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from services.console.settings import LocalSettings
from services.console.supervised import Backoff, SupervisedServer, SupervisedWorker
from services.console.supervisor import (
    Supervisor,
    read_state,
    rotate_logs,
    stop_orphans,
    workers_of,
)
from shared.local.server_process import ServerProcess, free_port

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


def worker(folder, program, **more):
    (folder / "logs").mkdir(exist_ok=True)
    return SupervisedWorker(
        name="sleeper",
        service="sleeper",
        command=[sys.executable, "-c", program],
        environment={},
        log_file=folder / "logs" / "sleeper.log",
        **more,
    )


def tick_until(supervisor, is_true, patience_s=10.0):
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "waited too long"
        supervisor.tick()
        time.sleep(0.02)


@pytest.fixture
def make_supervisor(tmp_path):
    made = []

    def make(program, **more):
        supervisor = Supervisor(tmp_path, [worker(tmp_path, program, **more)], drain_patience_s=0.5)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.drain()


def first(folder):
    return (read_state(folder) or {"processes": [{"pid": None}]})["processes"][0]


def test_a_killed_child_is_started_again_and_counted(make_supervisor, tmp_path):
    supervisor = make_supervisor(SLEEPS)
    tick_until(supervisor, lambda: first(tmp_path)["pid"])
    killed = first(tmp_path)["pid"]
    os.kill(killed, signal.SIGKILL)
    tick_until(supervisor, lambda: first(tmp_path)["pid"] not in (None, killed))
    assert first(tmp_path)["restarts"] == 1
    assert first(tmp_path)["last_end"] == "ended by signal 9"


def test_a_child_that_cannot_start_is_tried_less_and_less(make_supervisor, tmp_path):
    supervisor = make_supervisor("import sys; sys.exit(7)")
    tick_until(supervisor, lambda: first(tmp_path).get("restarts") == 2)
    assert first(tmp_path)["last_end"] == "ended with exit status 7"


def test_a_full_disk_does_not_end_it(make_supervisor, tmp_path, monkeypatch):
    supervisor = make_supervisor(SLEEPS)
    tick_until(supervisor, lambda: first(tmp_path)["pid"])
    killed = first(tmp_path)["pid"]
    is_full = [True]

    def refuse(write):
        def refusing(*arguments, **options):
            if is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(*arguments, **options)

        return refusing

    for method in ("write_text", "open"):
        monkeypatch.setattr(Path, method, refuse(getattr(Path, method)))
    os.kill(killed, signal.SIGKILL)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        supervisor.tick()
        time.sleep(0.02)
    is_full.clear()
    tick_until(supervisor, lambda: first(tmp_path)["pid"] not in (None, killed))


def test_pauses_grow_to_a_ceiling_and_are_short_again_after_calm():
    backoff = Backoff()
    pauses = [backoff.next_pause_s(ran_s=0.1) for _ in range(9)]
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10, 10, 10]
    assert backoff.next_pause_s(ran_s=3600) == 0.5


def test_draining_is_gentle_and_then_is_not(make_supervisor, tmp_path):
    supervisor = make_supervisor(STUBBORN)
    log = tmp_path / "logs" / "sleeper.log"
    tick_until(supervisor, lambda: log.exists() and "up" in log.read_text())
    pid = first(tmp_path)["pid"]
    began = time.monotonic()
    supervisor.drain()
    assert 0.4 < time.monotonic() - began < 5
    assert not psutil.pid_exists(pid)
    assert read_state(tmp_path) is None


def test_a_child_that_says_it_is_stuck_is_restarted(make_supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr("services.console.supervised._LIVE_EVERY_S", 0.05)

    class Stuck(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # the standard library's name
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b"stuck")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stuck) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        supervisor = make_supervisor(
            SLEEPS, http_port=server.server_address[1], not_live_patience_s=0.2
        )
        tick_until(supervisor, lambda: first(tmp_path).get("restarts") == 1)
        server.shutdown()
    assert first(tmp_path)["last_end"] == "made no progress: stuck"


def test_a_child_may_take_longer_for_its_first_answer_than_for_others(
    make_supervisor, tmp_path, monkeypatch
):
    monkeypatch.setattr("services.console.supervised._LIVE_EVERY_S", 0.02)
    supervisor = make_supervisor(
        SLEEPS, http_port=free_port(), silent_patience_s=0.05, start_patience_s=0.8
    )
    began = time.monotonic()
    tick_until(supervisor, lambda: first(tmp_path).get("restarts") == 1)
    assert time.monotonic() - began > 0.8
    assert first(tmp_path)["last_end"] == "did not answer on /live for 1 s"


def test_children_of_a_killed_supervisor_are_ended_before_new_ones_start(make_supervisor, tmp_path):
    supervisor = make_supervisor(SLEEPS)
    tick_until(supervisor, lambda: first(tmp_path)["pid"])
    orphan = first(tmp_path)["pid"]
    stop_orphans(tmp_path)
    assert not psutil.pid_exists(orphan)
    assert read_state(tmp_path) is None


def test_a_large_log_is_put_aside_and_its_writer_goes_on(tmp_path):
    log = tmp_path / "ingest.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 2000)
        rotate_logs(tmp_path, limit_bytes=1000)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "ingest.log.1").read_bytes() == b"x" * 2000


def test_every_worker_has_its_own_port_and_log(tmp_path):
    settings = LocalSettings(
        state_dir=tmp_path, services="ingest,xmatch", workers="ingest=2", http_port_base=29000
    )
    workers = workers_of(settings)
    assert [(w.name, w.http_port, w.log_file.name) for w in workers] == [
        ("ingest-1", 29000, "ingest-1.log"),
        ("ingest-2", 29001, "ingest-2.log"),
        ("xmatch", 29002, "xmatch.log"),
    ]
    assert workers[1].command[1:] == ["-m", "services.ingest"]
    assert workers[1].environment["TOCSIN_HTTP_PORT"] == "29001"
    assert workers[1].environment["OMP_NUM_THREADS"] == "1"


@pytest.mark.long
def test_a_server_that_is_there_and_refuses_everything_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr("services.console.supervised._PROBE_EVERY_S", 0.05)
    process = ServerProcess("a server", pid_file=tmp_path / "s.json", log_file=tmp_path / "s.log")
    started = []

    def launch():
        process.start([sys.executable, "-c", SLEEPS])
        started.append(process.mark().pid)

    launch()
    server = SupervisedServer("database", process, launch, 1, lambda: len(started) < 2)
    try:
        deadline = time.monotonic() + 20
        while len(started) < 2:
            assert time.monotonic() < deadline
            server.tick()
            time.sleep(0.05)
        assert not psutil.pid_exists(started[0])
        assert server.as_record()["last_end"] == "it refused everything"
        assert server.as_record()["restarts"] == 1
    finally:
        process.stop(1.0)


def test_the_portal_keeps_its_port_however_many_workers_there_are(tmp_path):
    settings = LocalSettings(state_dir=tmp_path, workers="ingest=20", http_port_base=29000)
    workers = workers_of(settings)
    portal = next(w for w in workers if w.service == "portal")
    assert portal.http_port == 29016
    assert portal.environment["TOCSIN_PORTAL_OPERATOR_TOKEN_FILE"] == str(
        tmp_path / "operator-token"
    )
    assert len({w.http_port for w in workers}) == len(workers)
    assert all(
        "TOCSIN_PORTAL_OPERATOR_TOKEN_FILE" not in w.environment for w in workers if w is not portal
    )
