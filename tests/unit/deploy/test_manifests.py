"""The Kubernetes manifests: current, valid as Kubernetes reads them, and true to the code."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.k8s import around, kafka, scaling
from deploy.k8s.generate import HERE, files, main
from deploy.k8s.workers import PREFIX, STATE, WORKERS, lag_per_pod
from shared.kafka.topics import Topic

ROOT = Path(__file__).parents[3]
KUBERNETES = "1.34"
OF_OPERATORS = ("kafka.strimzi.io", "keda.sh", "mongodbcommunity", "monitoring.coreos.com")
"""Kinds that Kubernetes itself does not know; tests/integration/deploy has their schemas."""


@functools.cache
def overlay(name: str) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, whose kustomize builds the overlays")
    command = ["kubectl", "kustomize", str(HERE / "overlays" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_what_is_there_is_what_the_tables_say(capsys) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("name", ["local", "production"])
def test_kubernetes_takes_every_manifest(name: str) -> None:
    found = overlay(name)
    own = [m for m in found if not m["apiVersion"].startswith(OF_OPERATORS)]
    assert sum(m["kind"] == "Deployment" for m in own) == len(WORKERS)
    for manifest in own:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_check_sees_an_unknown_field() -> None:
    deployment = yaml.safe_load_all(files()[Path("base/worker-ingest.yaml")])
    wrong = next(m for m in deployment if m["kind"] == "Deployment")
    wrong["spec"]["replicaz"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["local", "production"])
def test_no_reference_hangs_in_the_air(name: str) -> None:
    found = overlay(name)
    there = {(m["kind"], m["metadata"]["name"]) for m in found}
    made_by_operators = {"tocsin-cluster-ca-cert", "tocsin-database-uri"} | {
        m["metadata"]["name"] for m in found if m["kind"] == "KafkaUser"
    }
    for deployment in (m for m in found if m["kind"] == "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", claim) in there
            secret = volume.get("secret", {}).get("secretName")
            assert secret is None or secret in made_by_operators or ("Secret", secret) in there
        for variable in pod["containers"][0]["env"]:
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                known = reference["name"] in made_by_operators
                assert known or ("Secret", reference["name"]) in there


def modules() -> list[str]:
    jobs = [what[0] for _, _, _, what in around.NIGHTLY]
    return [*(w.module or f"services.{w.image}" for w in WORKERS), *jobs]


@pytest.mark.parametrize("module", modules())
def test_every_container_starts_something_that_exists(module: str) -> None:
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("module", [what[0] for _, _, _, what in around.NIGHTLY])
def test_every_nightly_job_does_something_when_started(module: str) -> None:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert 'if __name__ == "__main__":' in Path(spec.origin).read_text()


def test_jobs_are_let_out_of_the_default_refusal() -> None:
    policy = around.let_jobs_out()["spec"]
    wanted = policy["podSelector"]["matchLabels"]
    templates = [
        (job["spec"].get("jobTemplate") or job)["spec"]["template"] for job in around.jobs()
    ]
    assert len(templates) == len(around.NIGHTLY) + 1
    for template in templates:
        assert template["metadata"]["labels"].items() >= wanted.items()
    assert policy["egress"]


def test_what_the_loop_remembers_outlives_its_pod_and_is_seen_by_the_worker() -> None:
    worker = next(w for w in WORKERS if w.name == "learning")
    assert ("learning", f"{STATE}/learning", False) in worker.volumes
    for job in around.jobs():
        if job["metadata"]["name"] in ("targets", "learn"):
            pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            mounts = {m["mountPath"]: m for m in pod["containers"][0]["volumeMounts"]}
            assert mounts[f"{STATE}/learning"]["name"] == "learning"
            assert mounts[f"{STATE}/learning"]["readOnly"] is False


def test_every_image_can_be_built() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    images = {w.image for w in WORKERS} | {image for _, image, _, _ in around.NIGHTLY}
    built = re.search(r"ALL=\((.*)\)", (ROOT / "deploy/docker/build.sh").read_text())
    assert built is not None
    assert images <= set(built[1].split())
    assert images <= {*project["optional-dependencies"], "learning"}


def test_pods_are_locked_down_and_drain() -> None:
    for manifest in overlay("production"):
        if manifest["kind"] not in ("Deployment", "Job", "CronJob"):
            continue
        spec = manifest["spec"]
        spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
        pod = spec["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        if manifest["kind"] == "Deployment":
            assert pod["terminationGracePeriodSeconds"] >= 60
            probes = {"livenessProbe", "readinessProbe", "startupProbe"}
            assert probes <= set(container)


def test_scaling_follows_what_was_measured() -> None:
    for worker in scaling.scaled():
        made = scaling.scaled_object(worker)["spec"]
        lags = [t["metadata"] for t in made["triggers"] if t["type"] == "kafka"]
        assert {lag["topic"] for lag in lags} == set(worker.reads)
        assert {int(lag["lagThreshold"]) for lag in lags} == {lag_per_pod(worker)}
        assert {lag["consumerGroup"] for lag in lags} == {f"{PREFIX}{worker.name}"}
        assert made["maxReplicaCount"] <= kafka.PARTITIONS


def test_every_topic_of_ours_is_made_and_every_user_may_read_what_it_reads() -> None:
    made = {t["spec"]["topicName"] for t in kafka.topics()}
    assert {topic.named(PREFIX) for topic in Topic} <= made
    for worker in WORKERS:
        rules = kafka.MAY[worker.name]
        for topic in worker.reads:
            assert any(_allows(rule, topic, "Read") for rule in rules), (worker.name, topic)


def test_topics_that_are_memories_are_kept_and_the_event_list_is_compacted() -> None:
    kept = {t["spec"]["topicName"]: t["spec"]["config"] for t in kafka.topics()}
    for topic in Topic:
        policy = kept[topic.named(PREFIX)].get("cleanup.policy")
        assert (policy == "compact") == topic.is_compacted, topic
    for topic in (Topic.LABELS, Topic.VOTES):
        assert kept[topic.named(PREFIX)]["retention.ms"] == -1


def test_mma_may_write_all_that_it_writes() -> None:
    for topic in (Topic.ASSOCIATIONS, Topic.COINCIDENCES, Topic.EVENTS, Topic.HEARTBEAT):
        name = topic.named(PREFIX)
        assert any(_allows(rule, name, "Write") for rule in kafka.MAY["mma"]), name
    name = Topic.GCN_NOTICES.named(PREFIX)
    assert any(_allows(rule, name, "Write") for rule in kafka.MAY["distribute"])


def test_workers_may_not_write_what_is_not_theirs() -> None:
    writers: dict[str, set[str]] = {}
    for user, rules in kafka.MAY.items():
        for kind, name, _, operations in rules:
            if kind == "topic" and "Write" in operations:
                writers.setdefault(name, set()).add(user)
    assert writers[f"{PREFIX}alerts.classified"] == {"classify"}
    assert all(len(users) == 1 for users in writers.values()), writers


def _allows(rule: kafka.Rule, topic: str, operation: str) -> bool:
    kind, name, pattern, operations = rule
    named = topic.startswith(name) if pattern == "prefix" else topic == name
    return kind == "topic" and named and operation in operations
