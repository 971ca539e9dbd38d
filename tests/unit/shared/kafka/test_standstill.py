"""Whoever stood still ends; whoever looks at the clock goes on."""

import asyncio
import signal
import subprocess
import sys
import time

from shared.kafka.policy import EXIT_UNACKNOWLEDGED
from shared.kafka.standstill import Standstill


def test_ends_after_a_gap_and_not_before():
    now, ended = [100.0], []
    standstill = Standstill(6.0, lambda: now[0], ended.append)
    for pause_s in (0.0, 0.5, 5.9):
        now[0] += pause_s
        standstill.check()
    assert ended == []
    now[0] += 6.1
    standstill.check()
    assert ended == [EXIT_UNACKNOWLEDGED]


async def test_watching_is_no_standstill():
    ended = []
    watching = asyncio.create_task(Standstill(5.0, end=ended.append).watch())
    await asyncio.sleep(1.6)
    watching.cancel()
    assert ended == []


def test_a_frozen_process_ends_when_it_wakes():
    program = (
        "import time\n"
        "from shared.kafka.standstill import Standstill\n"
        "s = Standstill(2.0)\n"
        "s.check()\n"
        "print('up', flush=True)\n"
        "while True: s.check(); time.sleep(0.05)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"up\n"
        child.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        child.send_signal(signal.SIGCONT)
        assert child.wait(10) == EXIT_UNACKNOWLEDGED
    finally:
        child.kill()
        child.wait()
