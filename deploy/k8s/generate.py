"""Writes ``deploy/k8s/base`` and the components from the tables beside this file.

``python -m deploy.k8s.generate`` writes, ``--check`` only says whether what is there is current.
One file per worker, so that a change is seen where it acts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy.k8s import around, kafka, scaling
from deploy.k8s.workers import WORKERS, Manifest, labels, manifests

HERE = Path(__file__).parent
_HEAD = "# Written by `python -m deploy.k8s.generate`; change the tables there, not this file.\n"
_KUSTOMIZE = "kustomize.config.k8s.io/v1beta1"
_COMPONENT = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}


def files() -> dict[Path, str]:
    """Every file, relative to this folder, and its text."""
    base: dict[str, Sequence[Manifest]] = {
        "namespace": [around.namespace()],
        "settings": [around.settings()],
        "network": [around.refuse_all(), around.let_jobs_out()],
        "volumes": around.volumes(),
        "jobs": around.jobs(),
        **{f"worker-{worker.name}": manifests(worker) for worker in WORKERS},
    }
    written = {Path("base") / f"{name}.yaml": _text(parts) for name, parts in base.items()}
    kustomization = {
        "apiVersion": _KUSTOMIZE,
        "kind": "Kustomization",
        "namespace": "tocsin",
        "resources": [f"{name}.yaml" for name in base],
    }
    written[Path("base/kustomization.yaml")] = _text([kustomization])
    components: dict[str, dict[str, Sequence[Manifest]]] = {
        "keda": {
            "login": [scaling.keda_login()],
            "scaled": [scaling.scaled_object(worker) for worker in scaling.scaled()],
        },
        "hpa": {"scaled": [scaling.autoscaler(worker) for worker in scaling.scaled()]},
        "strimzi": {"kafka": kafka.cluster(), "topics": kafka.topics(), "users": kafka.users()},
        "mongodb": {"database": around.database()},
        "monitoring": {"pods": [_pod_monitor()]},
    }
    for name, parts in components.items():
        folder = Path("components") / name
        for file, resources in parts.items():
            written[folder / f"{file}.yaml"] = _text(resources)
        component = {**_COMPONENT, "resources": [f"{file}.yaml" for file in parts]}
        written[folder / "kustomization.yaml"] = _text([component])
    return written


def _pod_monitor() -> Manifest:
    part_of = {key: value for key, value in labels(WORKERS[0]).items() if key.endswith("part-of")}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "tocsin"},
        "spec": {
            "selector": {"matchLabels": part_of},
            "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": "15s"}],
        },
    }


def _text(parts: Sequence[Manifest]) -> str:
    return _HEAD + yaml.safe_dump_all(parts, sort_keys=False, width=100)


def main(argv: list[str] | None = None) -> int:
    """Write the files, or look whether they are current."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.k8s.generate", description="Write the Kubernetes manifests."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args(argv).check
    made = files()
    stale = [p for p, text in made.items() if not _is(HERE / p, text)]
    left = [
        path
        for folder in ("base", "components")
        for path in (HERE / folder).rglob("*.yaml")
        if path.relative_to(HERE) not in made
    ]
    if not check:
        for path in stale:
            (HERE / path).parent.mkdir(parents=True, exist_ok=True)
            (HERE / path).write_text(made[path])
        for path in left:
            path.unlink()
        return 0
    for path in [*stale, *left]:
        sys.stdout.write(f"not current: {path}\n")
    return 1 if stale or left else 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    raise SystemExit(main())
