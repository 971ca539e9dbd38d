"""How fast the simulator makes packets: alerts per second and CPU per alert, one core.

``python -m bench.simulate [--alerts N] [--json]``: each survey's night in full (drawing, observing,
cutouts, encoding), the encoder beside fastavro on the same records, and re-keying.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from typing import Any

import fastavro
import numpy as np

from services.simulate.population import simulate_night
from services.simulate.rekey import rekeyed
from services.simulate.surveys import WRITERS
from services.simulate.surveys.ztf_schema import ALERT
from services.simulate.telescopes import TELESCOPES

NIGHT_MJD = 61_041
_CHUNK = 256


def cpu_us(work: Callable[[], Any], count: int) -> float:
    """CPU time of ``work`` for each of ``count`` alerts, microseconds."""
    started = time.process_time()
    work()
    return (time.process_time() - started) / count * 1e6


def night_figures(survey: str, alerts: int) -> dict[str, float]:
    """CPU per alert of one survey's night, and what that is in alerts per second."""
    telescope = TELESCOPES[survey]
    warm = WRITERS[survey](simulate_night(telescope, NIGHT_MJD, 50, seed=1))
    warm.write(np.arange(50))
    nights = []
    draw = cpu_us(lambda: nights.append(simulate_night(telescope, NIGHT_MJD, alerts, 2)), alerts)
    writer = WRITERS[survey](nights[0])
    sizes: list[int] = []

    def write() -> None:
        for first in range(0, alerts, _CHUNK):
            packets = writer.write(np.arange(first, min(first + _CHUNK, alerts)))
            sizes.extend(len(packet.payload) for packet in packets)

    packets_us = cpu_us(write, alerts)
    return {
        "sky and light curves, us": draw,
        "packets with cutouts, us": packets_us,
        "alerts per second": 1e6 / (draw + packets_us),
        "bytes per packet": float(np.mean(sizes)),
    }


def encoder_figures() -> dict[str, float]:
    """What fastavro takes to write the same records, and what a re-keyed copy costs."""
    count = 200
    writer = WRITERS["ztf"](simulate_night(TELESCOPES["ztf"], NIGHT_MJD, count, 3))
    payloads = [packet.payload for packet in writer.write(np.arange(count))]
    records = [next(fastavro.reader(io.BytesIO(payload))) for payload in payloads]
    schema = fastavro.parse_schema(ALERT)

    def by_fastavro() -> None:
        for record in records:
            fastavro.schemaless_writer(io.BytesIO(), schema, record)

    rekeyed(payloads[0], 0)
    copies = 5_000
    return {
        "fastavro on the same records, us": cpu_us(by_fastavro, count),
        "re-keyed copy, us": cpu_us(
            lambda: [rekeyed(payloads[0], serial) for serial in range(copies)], copies
        ),
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = {survey: night_figures(survey, asked.alerts) for survey in WRITERS}
    figures["ztf, other"] = encoder_figures()
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for survey, rows in figures.items():
        for label, value in rows.items():
            print(f"{survey:12}{label:36}{value:>12,.0f}")


if __name__ == "__main__":
    main()
