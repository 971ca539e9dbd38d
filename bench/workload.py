"""The workload: real packets, re-keyed so that each is another alert of another object."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from services.simulate.deliver import SurveyTopic
from services.simulate.rekey import rekeyed
from services.simulate.settings import SimulateSettings
from shared.packets import iter_packets

REAL = {
    "ztf": (
        "ztf/pittgoogle_84.tar.xz",
        "ztf/kowalski/20200202",
        "ztf/kowalski/20231012",
        "ztf/boom",
    ),
    "lsst": ("lsst/rubin_20260101_27_v10_0.parquet", "lsst/confluent_wire"),
}
"""Below TOCSIN_DATA: packets with cutouts, as the surveys send them."""


def templates(survey: str) -> tuple[list[bytes], str]:
    """Packets to copy, and where they come from: real ones, or simulated where there are none."""
    root = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    paths = [root / name for name in REAL[survey] if (root / name).exists()]
    if paths:
        packets = [p.payload for p in iter_packets(paths)]
        if survey == "lsst":
            packets = [p for p in packets if len(p) > 60_000]
        return packets, f"{len(packets)} real {survey} packets, re-keyed"
    from services.simulate.population import simulate_night  # noqa: PLC0415  # slow to import
    from services.simulate.surveys import WRITERS  # noqa: PLC0415
    from services.simulate.telescopes import TELESCOPES  # noqa: PLC0415

    night = simulate_night(TELESCOPES[survey], 61_041, 200, seed=1)
    packets = [p.payload for p in WRITERS[survey](night).write(np.arange(200))]
    return packets, "200 simulated packets, re-keyed (no TOCSIN_DATA)"


def generate(survey: str, alerts: int, rate_hz: float, first: int) -> None:
    """Send ``alerts`` packets to the survey's topic, at ``rate_hz`` (0: as fast as it goes).

    A process of its own: its CPU is counted as the generator's. ``first`` is the serial number of
    the first, so that runs differ. Prints when it began and ended (Unix time), how many packets
    were not delivered, and its CPU seconds in between.
    """
    packets, _ = templates(survey)
    settings = SimulateSettings()
    sender = SurveyTopic(settings, dict(settings.survey_topic_pairs())[survey])
    began, cpu_began = time.time(), time.process_time()
    for serial in range(alerts):
        if rate_hz > 0 and serial % 20 == 0:
            time.sleep(max(0.0, began + serial / rate_hz - time.time()))
        sender.send(rekeyed(packets[serial % len(packets)], first + serial))
    account = sender.finish()
    undelivered = account.sent - account.delivered
    cpu_s = time.process_time() - cpu_began
    sys.stdout.write(f"{began} {time.time()} {undelivered} {cpu_s}\n")


if __name__ == "__main__":
    generate(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
