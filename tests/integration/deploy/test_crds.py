"""Manifests of operators' kinds against the definitions that those operators publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.cluster.definitions import GROUPS, DefinitionsError, definitions
from deploy.k8s.generate import files

OURS = [
    manifest
    for path, text in files().items()
    if path.parts[0] == "components"
    for manifest in yaml.safe_load_all(text)
]


def schemas(group: str) -> dict[tuple[str, str], Any]:
    """Schema by version and kind, from the operator's package."""
    try:
        found = definitions(group)
    except DefinitionsError as error:
        pytest.skip(str(error))
    return {
        (f"{group}/{version['name']}", crd["spec"]["names"]["kind"]): strict(
            version["schema"]["openAPIV3Schema"]
        )
        for crd in found
        for version in crd["spec"]["versions"]
    }


def strict(schema: Any) -> Any:
    """The same, refusing fields that it does not name, as the server's strict validation does."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    is_open = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and made.get("type") == "object" and not is_open:
        made["additionalProperties"] = False
    if made.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made


def of(group: str) -> list[dict[str, Any]]:
    return [m for m in OURS if m["apiVersion"].startswith(f"{group}/")]


@pytest.mark.parametrize("group", [group for group in GROUPS if of(group)])
def test_the_operator_takes_our_manifests(group: str) -> None:
    known = schemas(group)
    for manifest in of(group):
        body = {**manifest, "metadata": {}}
        jsonschema.validate(body, known[manifest["apiVersion"], manifest["kind"]])


def test_every_kind_that_kubernetes_does_not_know_is_checked() -> None:
    others = {"HorizontalPodAutoscaler", "Component"}  # Kubernetes' own, kustomize's
    of_operators = [m for m in OURS if m["kind"] not in others]
    assert {m["apiVersion"].partition("/")[0] for m in of_operators} <= set(GROUPS)


def test_a_misspelt_field_is_seen() -> None:
    known = schemas("keda.sh")
    text = files()[Path("components/keda/scaled.yaml")]
    wrong = next(iter(yaml.safe_load_all(text)))
    wrong["spec"]["minReplicas"] = 1
    with pytest.raises(jsonschema.ValidationError, match="minReplicas"):
        jsonschema.validate({**wrong, "metadata": {}}, known["keda.sh/v1alpha1", "ScaledObject"])


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("storage", {"type": "ephemeral"}),  # was of v1beta2; v1 has it in the KafkaNodePool
        ("authorization", {"type": "rbac"}),
        ("listeners", [{"name": "tls", "port": "9093", "type": "internal", "tls": True}]),
    ],
)
def test_strimzi_refuses_what_its_version_has_not(place: str, wrong: object) -> None:
    known = schemas("kafka.strimzi.io")["kafka.strimzi.io/v1", "Kafka"]
    made = next(m for m in of("kafka.strimzi.io") if m["kind"] == "Kafka")
    kafka = {**made["spec"]["kafka"], place: wrong}
    spoilt = {**made, "metadata": {}, "spec": {**made["spec"], "kafka": kafka}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, known)
