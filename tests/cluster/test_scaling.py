"""KEDA growing and shrinking every service on the lag of a real Kafka."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import start_http_server

from deploy.cluster.control_plane import ControlPlane
from deploy.k8s import scaling
from deploy.k8s.kafka import PARTITIONS
from deploy.k8s.workers import Worker, lag_per_pod
from shared.local.server_process import free_port
from shared.telemetry.metrics import ServiceMetrics
from tests.cluster.lag import Lag
from tests.cluster.looking import listed, ready_pods, wait_until
from tests.system.prometheus import Watchers, watching

PODS = 4
"""What the lag asks for: twice the two pods that a service begins with, so one step of growth."""
_DOWN_S = 5
_TWO_LOOKS_S = 35
"""An autoscaler looks every 15 s."""


def scaled_here(worker: Worker, servers: str) -> dict[str, Any]:
    """The worker's ScaledObject, at the Kafka of this test.

    What is another than in production: the broker and how to log in to it; no trigger on age (see
    the other test); five seconds instead of five minutes before pods are taken away.
    """
    made = scaling.scaled_object(worker)
    made["metadata"]["namespace"] = "tocsin"
    kafka = [t for t in made["spec"]["triggers"] if t["type"] == "kafka"]
    for trigger in kafka:
        trigger["metadata"]["bootstrapServers"] = servers
        del trigger["authenticationRef"]
    made["spec"]["triggers"] = kafka
    return quickly_down(made)


def quickly_down(made: dict[str, Any]) -> dict[str, Any]:
    """Pods taken away after seconds and all at once, instead of after minutes and one a minute."""
    made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"] = {
        "stabilizationWindowSeconds": _DOWN_S,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": _DOWN_S}],
    }
    return made


def wanted_lag(worker: Worker) -> int:
    """Half a pod less than ``PODS`` pods' lag, so that rounding up gives just those."""
    return round((PODS - 0.5) * lag_per_pod(worker))


def reached_s(cluster: ControlPlane, wanted: dict[str, int]) -> dict[str, float]:
    """How long each Deployment took, from now, until it had its pods, and had them ready."""
    began = time.monotonic()
    reached: dict[str, float] = {}

    def all_there() -> bool:
        for name, pods in ready_pods(cluster).items():
            if name in wanted and name not in reached and pods == wanted[name]:
                reached[name] = time.monotonic() - began
        return set(reached) == set(wanted)

    wait_until(all_there, lambda: (wanted, ready_pods(cluster), reached))
    return reached


def active(cluster: ControlPlane, workers: tuple[Worker, ...]) -> bool:
    """Whether each worker's autoscaler gets its metric."""
    found = listed(cluster, "hpa")
    return all(_gets_metrics(found.get(f"keda-hpa-{w.name}", {})) for w in workers)


def _gets_metrics(autoscaler: dict[str, Any]) -> bool:
    conditions = autoscaler.get("status", {}).get("conditions", [])
    return ("ScalingActive", "True") in {(c["type"], c["status"]) for c in conditions}


def test_keda_scales_every_service_on_its_lag_up_and_down_again(
    deployed: ControlPlane, kafka: Any, record_property: Any
) -> None:
    lag = Lag(kafka.bootstrap_servers)
    workers = scaling.scaled()
    topics = dict.fromkeys((t for w in workers for t in w.reads), 0)
    for worker in workers:
        records = wanted_lag(worker) + PARTITIONS
        topics[worker.reads[0]] = max(topics[worker.reads[0]], records)
    lag.fill(topics)
    for worker in workers:
        lag.leave(worker, 0)
    deployed.apply(*(scaled_here(w, kafka.bootstrap_servers) for w in workers))
    fewest = {w.name: min(w.replicas, w.most) for w in workers}
    most = {w.name: min(PODS, w.most) for w in workers}
    wait_until(lambda: active(deployed, workers), lambda: listed(deployed, "hpa"))
    assert {n: ready_pods(deployed)[n] for n in fewest} == fewest
    for worker in workers:
        lag.leave(worker, wanted_lag(worker))
    up_s = reached_s(deployed, most)
    for worker in workers:
        lag.leave(worker, 0)
    down_s = reached_s(deployed, fewest)
    print("\n| service | lag, messages | pods | up, s | down, s |\n|---|---:|---|---:|---:|")
    for worker in workers:
        name = worker.name
        print(f"| {name} | {wanted_lag(worker):,} | {fewest[name]} to {most[name]} and back "
              f"| {up_s[name]:.0f} | {down_s[name]:.0f} |")  # fmt: skip
        record_property(f"{name}_up_s", up_s[name])
        record_property(f"{name}_down_s", down_s[name])


@pytest.mark.timeout(900)
def test_keda_scales_on_the_age_of_alerts_and_not_on_silence(
    deployed: ControlPlane, tmp_path: Path
) -> None:
    """A worker's own instruments, our rules in a real Prometheus, the trigger as it is deployed."""
    (worker,) = (w for w in scaling.scaled() if w.name == "classify")
    metrics = ServiceMetrics(worker.name)
    port = free_port()
    server, thread = start_http_server(port, "127.0.0.1", metrics.registry)
    targets = tmp_path / "targets.json"
    targets.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": {}}]))
    made = quickly_down(scaling.scaled_object(worker))
    made["metadata"]["namespace"] = "tocsin"
    (trigger,) = (t for t in made["spec"]["triggers"] if t["type"] == "prometheus")
    made["spec"]["triggers"] = [trigger]
    recorded = f'tocsin:record_age_seconds:p95{{service="{worker.name}"}}'

    def age_s(watchers: Watchers) -> float:
        found = watchers.query(recorded)
        return float(found[0]["value"][1]) if found else -1.0

    def ages_are_late(watchers: Watchers) -> bool:
        metrics.record_age.observe(np.full(100, 14.0), worker.name, "alerts.classified")
        return age_s(watchers) > 2 * scaling.AGE_OBJECTIVE_S and pods() > worker.replicas

    def pods() -> int:
        return ready_pods(deployed)[worker.name]

    try:
        with watching(tmp_path, targets) as watchers:
            metrics.record_age.observe(np.full(1, 0.2), worker.name, "alerts.classified")
            trigger["metadata"]["serverAddress"] = f"http://127.0.0.1:{watchers.port}"
            deployed.apply(made)
            wait_until(lambda: active(deployed, (worker,)), lambda: listed(deployed, "hpa"))
            assert pods() == worker.replicas
            wait_until(lambda: ages_are_late(watchers), lambda: (age_s(watchers), pods()))
            # Two minutes without a record: the quantile is no number, the service as it was.
            wait_until(lambda: math.isnan(age_s(watchers)), lambda: age_s(watchers))
            wait_until(lambda: pods() == worker.replicas, pods)
            time.sleep(_TWO_LOOKS_S)
            assert pods() == worker.replicas
            wait_until(lambda: active(deployed, (worker,)), lambda: listed(deployed, "hpa"))
    finally:
        server.shutdown()
        thread.join()
