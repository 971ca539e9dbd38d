"""A control plane for the session: ``make test-cluster`` builds it first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cluster.control_plane import PROGRAMS, ControlPlane
from deploy.cluster.definitions import GROUPS, DefinitionsError, definitions
from tests.cluster.looking import overlay

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Real API server, controllers, scheduler; simulated nodes."""
    folder = os.environ.get("TOCSIN_CLUSTER", CHECKOUT / ".tocsin/cluster")
    built = Path(folder).resolve() / "bin"
    missing = [name for name in PROGRAMS if not (built / name).is_file()]
    if missing:
        pytest.skip(f"not built: {', '.join(missing)}; make test-cluster builds them")
    with ControlPlane(tmp_path_factory.mktemp("cluster"), built) as running:
        yield running


@pytest.fixture(scope="session")
def operators(cluster: ControlPlane) -> ControlPlane:
    """The same with every operator's kinds, and KEDA running."""
    try:
        found = [definition for group in GROUPS for definition in definitions(group)]
    except DefinitionsError as error:
        pytest.skip(str(error))
    cluster.apply(*found)
    names = [f"crd/{definition['metadata']['name']}" for definition in found]
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    cluster.start_keda()
    return cluster


@pytest.fixture(scope="session")
def deployed(operators: ControlPlane) -> ControlPlane:
    """The production overlay, applied; volumes as a provisioner would make them.

    Its ScaledObjects are left to the tests of scaling, which have a Kafka that is here.
    """
    found = overlay(operators, "production")
    for manifest in (m for m in found if m["kind"] == "Namespace"):
        operators.apply(manifest)
    claims = [m["metadata"]["name"] for m in found if m["kind"] == "PersistentVolumeClaim"]
    operators.apply(*(_volume(name) for name in claims))
    operators.apply(*_secrets(found))
    operators.apply(*(m for m in found if m["kind"] != "ScaledObject"))
    return operators


def _secrets(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that Strimzi's and MongoDB's operators would make: KEDA reads what pods are told."""
    users = [m["metadata"]["name"] for m in found if m["kind"] == "KafkaUser"]
    keys = dict.fromkeys(users, "password") | {
        "tocsin-database-uri": "connectionString.standard",
        "tocsin-cluster-ca-cert": "ca.crt",
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": "tocsin"},
            "stringData": {key: "-"},
        }
        for name, key in keys.items()
    ]


def _volume(claim: str) -> dict[str, Any]:
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
