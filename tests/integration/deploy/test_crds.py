"""Manifests of operators' kinds against the schemas that those operators publish."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.k8s.generate import files

OPERATORS = {
    "keda.sh": ("github.com/kedacore/keda/v2@v2.18.0", "config/crd/bases"),
    "mongodbcommunity.mongodb.com": (
        "github.com/mongodb/mongodb-kubernetes-operator@v0.13.0",
        "config/crd/bases",
    ),
}


def schemas(group: str) -> dict[str, Any]:
    """Schema by kind, from the operator's Go module."""
    if shutil.which("go") is None:
        pytest.skip("no go, which fetches the operators' modules")
    module, folder = OPERATORS[group]
    command = ["go", "mod", "download", "-json", module]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{module} does not come")
    if done.returncode != 0:
        pytest.skip(f"{module} is not to be had: {done.stdout[-300:]}")
    found = {}
    for path in Path(json.loads(done.stdout)["Dir"]).joinpath(folder).glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        for version in crd["spec"]["versions"]:
            found[crd["spec"]["names"]["kind"]] = strict(version["schema"]["openAPIV3Schema"])
    return found


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


@pytest.mark.parametrize("group", OPERATORS)
def test_the_operator_takes_our_manifests(group: str) -> None:
    known = schemas(group)
    texts = [text for path, text in files().items() if path.parts[0] == "components"]
    ours = [m for text in texts for m in yaml.safe_load_all(text)]
    ours = [m for m in ours if m["apiVersion"].startswith(f"{group}/")]
    assert ours
    for manifest in ours:
        body = {**manifest, "metadata": {}}
        jsonschema.validate(body, {**known[manifest["kind"]]})


def test_a_misspelt_field_is_seen() -> None:
    known = schemas("keda.sh")
    text = files()[Path("components/keda/scaled.yaml")]
    wrong = next(iter(yaml.safe_load_all(text)))
    wrong["spec"]["minReplicas"] = 1
    with pytest.raises(jsonschema.ValidationError, match="minReplicas"):
        jsonschema.validate({**wrong, "metadata": {}}, known["ScaledObject"])
