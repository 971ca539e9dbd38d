"""A worker process for the crash tests: one stage of the river, faults on request.

Usage: river_worker.py BOOTSTRAP PREFIX FAULT, where FAULT is none, bug or outage.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.errors import UpstreamUnavailableError
from shared.kafka.app import create_app, run
from shared.kafka.river import add_stage
from shared.kafka.topics import Topic
from shared.schemas.fields import column
from shared.settings import ServiceSettings

ADDED = column("added", pa.int32(), "What the test stage adds.", null="never")
BUG_EVERY = 37
outages = [3]


def stage(batch: AlertBatch) -> AlertBatch:
    fault = sys.argv[3]
    if fault == "bug" and any(int(i) % BUG_EVERY == 0 for i in batch.strings("alert_id")):
        raise ZeroDivisionError("a bug that one alert triggers")
    if fault == "outage" and outages[0] > 0:
        outages[0] -= 1
        raise UpstreamUnavailableError("the test says so")
    time.sleep(0.003)
    return batch.with_columns({ADDED: pa.array([1] * len(batch), pa.int32())})


def main() -> None:
    settings = ServiceSettings(
        kafka_bootstrap_servers=sys.argv[1],
        topic_prefix=sys.argv[2],
        state_dir=Path(sys.argv[4]),
        max_envelopes_per_take=5,
    )
    app = create_app("river", settings)
    add_stage(app, settings, source=Topic.ALERTS, sink=Topic.MATCHED, stage=stage)
    run(app, settings)


if __name__ == "__main__":
    main()
