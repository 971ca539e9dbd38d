"""``make bench``: the whole mesh on real packets, from cold, on this machine.

Servers and services start on empty topics; a generator then sends re-keyed real packets, and the
clock runs from its first packet to the last effect: archived in the database, kept as a raw
segment, weighed by every filter. Generator, broker and database share the machine and are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import RIVER, Finish, ages_s, calibration_ms, cpu_seconds, memory_mib
from bench.report import show
from bench.workload import templates
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "pyarrow", "numba", "duckdb")


def main() -> None:
    """Run the benchmark and print its tables; ``--json`` writes everything to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=20_000, help="packets to send")
    parser.add_argument(
        "--warm-up", type=int, default=1_000, help="packets before the clock starts"
    )
    parser.add_argument("--survey", choices=("ztf", "lsst"), default="ztf")
    parser.add_argument("--rate", type=float, default=0.0, help="alerts/s; 0: as fast as it goes")
    parser.add_argument(
        "--preload", action="store_true", help="fill the topic, then start services"
    )
    parser.add_argument("--state-dir", type=Path, default=Path(".bench"))
    parser.add_argument("--json", type=Path, help="write the results here too")
    arguments = parser.parse_args()
    os.environ.update(_environment(arguments.state_dir))
    for stale in ("kafka", "database", "packets", "logs", "faust"):
        shutil.rmtree(arguments.state_dir / stale, ignore_errors=True)
    try:
        results = measure(arguments)
    finally:
        _tocsin("down")
    show(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Start the mesh, feed it, and take its measure."""
    settings = ServiceSettings()
    _, source = templates(arguments.survey)
    goal = arguments.alerts
    if arguments.preload:
        _tocsin("up", "--services", "none")
        began, sent_at, generator_cpu = _generate(arguments.survey, goal, 0.0)
        _tocsin("down")
        began = time.time()
        _tocsin("up")
        status = _status()
        before = dict.fromkeys(_pids(status), 0.0)
    else:
        _tocsin("up")
        status = _status()
        if arguments.warm_up:
            _generate(arguments.survey, arguments.warm_up, 0.0)
            _effects(status, settings, arguments.survey, arguments.warm_up).wait(120)
        goal += arguments.warm_up
        before = cpu_seconds(_pids(status))
        generator = _start_generator(arguments.survey, goal, arguments.rate, arguments.warm_up)
    calibration = [calibration_ms()]
    finish = _effects(status, settings, arguments.survey, goal)
    finish.wait(300)
    if not arguments.preload:
        began, sent_at, generator_cpu = _reap_generator(generator)
    after = cpu_seconds(_pids(status))
    ended = max(finish.at.values())
    calibration.append(calibration_ms())
    per_alert = {name: 1e6 * (after[name] - before[name]) / arguments.alerts for name in after}
    per_alert["generator"] = 1e6 * generator_cpu / arguments.alerts
    ages = {topic: ages_s(settings, topic) for topic in RIVER}
    skip = 0 if arguments.preload else arguments.warm_up
    results = {
        "machine": _machine() | {"calibration_ms": calibration},
        "workload": {
            "alerts": arguments.alerts,
            "source": source,
            "mode": "preloaded, cold start" if arguments.preload else "live",
            "offered_per_s": arguments.rate or None,
        },
        "alerts_per_s": arguments.alerts / (ended - began),
        "generator_s": sent_at - began,
        "elapsed_s": ended - began,
        "cpu_us_per_alert": per_alert,
        "memory_mib": memory_mib(_pids(status)),
        "finished_after_s": {name: at - began for name, at in finish.at.items()},
        "age_s": {t.value: _percentiles(np.concatenate(a)[skip:]) for t, a in ages.items()},
        "alerts_per_envelope": {t.value: goal / max(len(a), 1) for t, a in ages.items()},
    }
    audit = subprocess.run(
        _command("audit", "--wait", "30", "--json"), capture_output=True, check=False
    )
    results["audit"] = json.loads(audit.stdout or "{}")
    return results


def _effects(status: dict[str, Any], settings: ServiceSettings, survey: str, goal: int) -> Finish:
    ports = {p["service"]: p["http_port"] for p in status["processes"] if p.get("http_port")}
    correlated = Topic.CORRELATED.named(settings.topic_prefix)
    packets = dict(settings.survey_topic_pairs())[survey]
    return Finish(
        {
            "filters": (ports["distribute"], "tocsin_records_in_total", correlated),
            "database": (ports["archive"], "tocsin_records_out_total", "database"),
            "raw packets": (ports["archive"], "tocsin_records_in_total", packets),
        },
        goal,
    )


def _start_generator(survey: str, goal: int, rate_hz: float, first: int) -> subprocess.Popen[str]:
    arguments = [
        sys.executable,
        "-m",
        "bench.workload",
        survey,
        str(goal - first),
        str(rate_hz),
        str(first),
    ]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def _reap_generator(process: subprocess.Popen[str]) -> tuple[float, float, float]:
    out, _ = process.communicate(timeout=600)
    began, ended, undelivered, cpu_s = (float(word) for word in out.split())
    if process.returncode or undelivered:
        raise RuntimeError(f"the generator failed: {undelivered:.0f} packets undelivered")
    return began, ended, cpu_s


def _generate(survey: str, alerts: int, rate_hz: float) -> tuple[float, float, float]:
    return _reap_generator(_start_generator(survey, alerts, rate_hz, 0))


def _percentiles(ages: np.ndarray) -> dict[str, float]:
    if not len(ages):
        return {}
    return {f"p{q}": float(np.percentile(ages, q)) for q in (50, 95, 99)}


def _pids(status: dict[str, Any]) -> dict[str, int]:
    return {process["name"]: process["pid"] for process in status["processes"]}


def _status() -> dict[str, Any]:
    out = subprocess.run(_command("status", "--json"), capture_output=True, check=False)
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.console", *arguments]


def _tocsin(*arguments: str) -> None:
    subprocess.run(_command(*arguments), check=True)


def _environment(state_dir: Path) -> dict[str, str]:
    return {
        "TOCSIN_STATE_DIR": str(state_dir.absolute()),
        "TOCSIN_KAFKA_PORT": "29092",
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:29092",
        "TOCSIN_DATABASE_PORT": "29117",
        "TOCSIN_DATABASE_URI": "mongodb://127.0.0.1:29117/?directConnection=true",
        "TOCSIN_HTTP_PORT_BASE": "29200",
    }


def _machine() -> dict[str, Any]:
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.processor())  # fmt: skip
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


if __name__ == "__main__":
    main()
