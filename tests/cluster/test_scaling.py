"""KEDA growing and shrinking every service on the lag of a real Kafka."""

from __future__ import annotations

import time
from typing import Any

from deploy.cluster.control_plane import ControlPlane
from deploy.k8s import scaling
from deploy.k8s.kafka import PARTITIONS
from deploy.k8s.workers import Worker, lag_per_pod
from tests.cluster.lag import Lag
from tests.cluster.looking import listed, ready_pods, wait_until

PODS = 4
"""What the lag asks for: twice the two pods that a service begins with, so one step of growth."""
_DOWN_S = 5


def scaled_here(worker: Worker, servers: str) -> dict[str, Any]:
    """The worker's ScaledObject, at the Kafka of this test.

    What is another than in production: the broker and how to log in to it; no trigger on age (see
    the last test); five seconds instead of five minutes before pods are taken away.
    """
    made = scaling.scaled_object(worker)
    made["metadata"]["namespace"] = "tocsin"
    kafka = [t for t in made["spec"]["triggers"] if t["type"] == "kafka"]
    for trigger in kafka:
        trigger["metadata"]["bootstrapServers"] = servers
        del trigger["authenticationRef"]
    made["spec"]["triggers"] = kafka
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
