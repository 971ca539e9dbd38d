"""What a run was measured on: processor, load, versions, and what the machine was worth then."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import confluent_kafka
import numpy as np
import psutil

from shared.local.kafka_distribution import kafka_version

LIBRARIES = (
    "aiokafka", "confluent-kafka", "duckdb", "faust-streaming", "numba", "numpy", "pyarrow",
    "SecantusDB",
)  # fmt: skip


def environment() -> dict[str, Any]:
    """The machine and the software, before anything is started."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": psutil.virtual_memory().total / 2**30,
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "Kafka": kafka_version(),
        "librdkafka": confluent_kafka.libversion()[0],
        **{name: _version(name) for name in LIBRARIES},
    }


def calibration_ms() -> float:
    """CPU milliseconds of a fixed loop of Python and NumPy: what this machine is worth now.

    Neighbours on the same silicon make every CPU-microsecond here longer; figures of two runs
    may be compared after dividing by this.
    """
    values = np.arange(20_000, dtype=np.float64)
    began = time.process_time()
    total = 0
    for i in range(60_000):
        total += i * i % 7
    for _ in range(30):
        total += int(np.sort(values[::-1]).sum())
    return 1e3 * (time.process_time() - began)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
