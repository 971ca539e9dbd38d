"""Our manifests on a real control plane; KEDA growing and shrinking workers on real lag."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.cluster.control_plane import ControlPlane
from deploy.k8s import scaling
from deploy.k8s.generate import HERE
from deploy.k8s.kafka import PARTITIONS
from deploy.k8s.workers import Worker, lag_per_pod
from shared.local.server_process import LocalServerError

KEDA = "github.com/kedacore/keda/v2@v2.18.0"
MONGODB = "github.com/mongodb/mongodb-kubernetes-operator@v0.13.0"
UNKNOWN = ("kafka.strimzi.io", "monitoring.coreos.com")
"""Operators whose definitions no package registry serves; see docs/operate.md."""
_PATIENCE_S = 120.0


def crds(module: str) -> Path:
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Path(json.loads(done.stdout)["Dir"]) / "config/crd/bases"


def overlay(cluster: ControlPlane, name: str) -> list[dict[str, Any]]:
    text = cluster.kubectl("kustomize", str(HERE / "overlays" / name))
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="session")
def keda(cluster: ControlPlane) -> ControlPlane:
    cluster.kubectl("apply", "--server-side", "-f", str(crds(MONGODB)))
    cluster.start_keda(crds(KEDA))
    return cluster


@pytest.fixture(scope="session")
def deployed(keda: ControlPlane) -> ControlPlane:
    """The production overlay, applied; volumes as a provisioner would make them."""
    found = overlay(keda, "production")
    for manifest in (m for m in found if m["kind"] == "Namespace"):
        keda.apply(manifest)
    claims = [m["metadata"]["name"] for m in found if m["kind"] == "PersistentVolumeClaim"]
    keda.apply(*(volume(name) for name in claims))
    own = [m for m in found if not m["apiVersion"].startswith(UNKNOWN)]
    # Scaling is of the next test, against a Kafka that is here.
    keda.apply(*(m for m in own if not m["apiVersion"].startswith("keda.sh")))
    return keda


def volume(claim: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": claim},
        "spec": {
            "capacity": {"storage": "4Ti"},
            "accessModes": ["ReadWriteMany"],
            "hostPath": {"path": f"/nowhere/{claim}"},
            "claimRef": {"namespace": "tocsin", "name": claim},
        },
    }


@pytest.mark.parametrize("name", ["local", "production"])
def test_the_server_takes_every_manifest_strictly(deployed: ControlPlane, name: str) -> None:
    found = [m for m in overlay(deployed, name) if not m["apiVersion"].startswith(UNKNOWN)]
    assert len(found) > 40
    deployed.apply(*found, dry_run=True)


def test_the_server_refuses_what_is_wrong(deployed: ControlPlane) -> None:
    found = overlay(deployed, "production")
    wrong = next(m for m in found if m["kind"] == "Deployment")
    wrong["spec"]["replicaz"] = 1
    with pytest.raises(LocalServerError, match="replicaz"):
        deployed.apply(wrong, dry_run=True)


def test_pods_become_ready(deployed: ControlPlane) -> None:
    def ready() -> dict[str, bool]:
        listed = json.loads(deployed.kubectl("-n", "tocsin", "get", "deployments", "-o", "json"))
        return {
            d["metadata"]["name"]: d["status"].get("readyReplicas", 0) == d["spec"]["replicas"]
            for d in listed["items"]
        }

    wait_until(lambda: all(ready().values()), ready)


class Lag:
    """Topics with records, and groups that have read none of them, or all."""

    def __init__(self, servers: str) -> None:
        self.servers = servers

    def fill(self, worker: Worker, messages: int) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers})
        topics = [NewTopic(t, PARTITIONS, 1) for t in worker.reads]
        for future in admin.create_topics(topics).values():
            try:
                future.result()
            except Exception as error:
                if "TOPIC_ALREADY_EXISTS" not in str(error):
                    raise
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 50,
                             "queue.buffering.max.messages": 2_000_000})  # fmt: skip
        for number in range(messages):
            producer.produce(worker.reads[0], b"x", partition=number % PARTITIONS)
        producer.flush(60)
        self.commit(worker, at_end=False)

    def commit(self, worker: Worker, *, at_end: bool) -> None:
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": worker.group,
                             "enable.auto.commit": False})  # fmt: skip
        try:
            places = []
            for topic in worker.reads:
                for partition in range(PARTITIONS):
                    place = TopicPartition(topic, partition)
                    low, high = consumer.get_watermark_offsets(place, timeout=20)
                    places.append(TopicPartition(topic, partition, high if at_end else low))
            consumer.commit(offsets=places, asynchronous=False)
        finally:
            consumer.close()


def scaled_here(worker: Worker, servers: str) -> dict[str, Any]:
    """The worker's ScaledObject, at the Kafka of this test, shrinking within the test's time."""
    made = scaling.scaled_object(worker)
    made["metadata"]["namespace"] = "tocsin"
    kafka = [t for t in made["spec"]["triggers"] if t["type"] == "kafka"]
    for trigger in kafka:
        trigger["metadata"]["bootstrapServers"] = servers
        del trigger["authenticationRef"]
    made["spec"]["triggers"] = kafka
    made["spec"]["cooldownPeriod"] = 10
    behaviour = made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    behaviour["scaleDown"] = {
        "stabilizationWindowSeconds": 5,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 5}],
    }
    return made


def test_keda_scales_every_service_on_its_lag_up_and_down_again(
    deployed: ControlPlane, kafka: Any, record_property: Any
) -> None:
    lag = Lag(kafka.bootstrap_servers)
    workers = scaling.scaled()
    for worker in workers:
        lag.fill(worker, 4 * lag_per_pod(worker))
    wanted = {w.name: min(4, w.most) for w in workers}
    began = time.monotonic()
    deployed.apply(*(scaled_here(w, kafka.bootstrap_servers) for w in workers))
    wait_until(lambda: replicas(deployed, workers) == wanted, lambda: replicas(deployed, workers))
    up_s = time.monotonic() - began
    for worker in workers:
        lag.commit(worker, at_end=True)
    began = time.monotonic()
    fewest = {w.name: min(w.replicas, w.most) for w in workers}
    wait_until(lambda: replicas(deployed, workers) == fewest, lambda: replicas(deployed, workers))
    down_s = time.monotonic() - began
    print(f"up in {up_s:.0f} s, down in {down_s:.0f} s")
    record_property("up_s", up_s)
    record_property("down_s", down_s)


def replicas(cluster: ControlPlane, workers: tuple[Worker, ...]) -> dict[str, int]:
    listed = json.loads(cluster.kubectl("-n", "tocsin", "get", "deployments", "-o", "json"))
    names = {worker.name for worker in workers}
    return {
        d["metadata"]["name"]: d["spec"]["replicas"]
        for d in listed["items"]
        if d["metadata"]["name"] in names
    }


def wait_until(holds: Any, seen: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, seen()
        time.sleep(1.0)
