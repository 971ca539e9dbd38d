"""Detached processes: remembered beyond doubt, never mistaken, clear when they fail."""

import errno
import json
import socket
import sys
from pathlib import Path

import psutil
import pytest

from shared.local.server_process import (
    LocalServerError,
    ProcessMark,
    ServerProcess,
    end_of_log,
    free_port,
    is_listening,
    require_free_port,
)

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def server(tmp_path):
    server = ServerProcess("a server", pid_file=tmp_path / "run.json", log_file=tmp_path / "a.log")
    yield server
    server.stop(patience_s=1.0)


def test_someone_else_can_find_and_stop_it(server):
    server.start(SLEEPS)
    stranger = ServerProcess("a server", pid_file=server.pid_file, log_file=server.log_file)
    pid = stranger.mark().pid
    stranger.stop()
    assert not psutil.pid_exists(pid)
    assert not server.pid_file.exists()


def test_a_process_that_cannot_be_remembered_is_ended(server, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    ended = []
    monkeypatch.setattr(ProcessMark, "stop", lambda mark, patience_s: ended.append(mark.pid))
    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OSError, match="No space"):
        server.start([sys.executable, "-c", "pass"])
    assert len(ended) == 1


def test_another_program_with_its_old_process_id_is_left_alone(server):
    server.start(SLEEPS)
    mark = server.mark()
    imposter = {"pid": mark.pid, "started_s": mark.started_s - 3600}
    server.pid_file.write_text(json.dumps(imposter))
    assert server.mark() is None
    server.stop()
    assert mark.process() is not None
    mark.stop(patience_s=1.0)


def test_a_server_that_ends_while_starting_shows_its_last_words(server):
    server.start([sys.executable, "-c", "raise SystemExit('no disk left')"])
    with pytest.raises(LocalServerError, match=r"(?s)ended while starting.*no disk left"):
        server.wait_ready(lambda: False, patience_s=10.0)


def test_a_server_that_never_answers_is_not_waited_for_forever(server):
    server.start(SLEEPS)
    with pytest.raises(LocalServerError, match="not ready after"):
        server.wait_ready(lambda: False, patience_s=0.1)


def test_a_taken_port_names_the_option_that_chooses_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert is_listening(port)
        with pytest.raises(LocalServerError, match=rf"port {port}.*--kafka-port"):
            require_free_port(port, server="Kafka", option="--kafka-port")
    require_free_port(free_port(), server="Kafka", option="--kafka-port")


def test_the_mark_of_a_dead_process_matches_nothing():
    assert ProcessMark(2**22 + 1, 0.0).process() is None


def test_json_lines_of_a_log_are_shown_in_plain_words(tmp_path):
    log = tmp_path / "ingest.log"
    crash = {"level": "error", "event": "crashed", "exception": "Traceback:\n  x\nTypeError: no"}
    log.write_text(f"a plain line\n{json.dumps(crash)}\n{json.dumps({'odd': 1})}\n")
    shown = end_of_log(log)
    assert "  a plain line\n  error: crashed: TypeError: no\n" in shown
    assert shown.endswith('{"odd": 1}')
