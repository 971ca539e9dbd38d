"""Each service's extra installs what the service imports, itself and through ``shared``."""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
SERVICES = sorted(p.parent.name for p in (ROOT / "services").glob("*/__init__.py"))
DISTRIBUTIONS = {
    "bson": "pymongo", "confluent_kafka": "confluent-kafka", "faust": "faust-streaming",
    "erfa": "pyerfa", "google_crc32c": "google-crc32c", "llvmlite": "numba",
    "mode": "faust-streaming",
    "prometheus_client": "prometheus-client", "pydantic_settings": "pydantic-settings",
    "sklearn": "scikit-learn", "voeventparse": "voevent-parse",
}  # fmt: skip

TRAINS = {"classify", "xmatch", "river"}
"""Services with verbs that train models, which an extra of their own is for."""

ELSEWHERE = ROOT / "services" / "classify" / "optional" / "inside"
"""What runs in the Python of a package that Tocsin does not depend on."""


@functools.cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@functools.cache
def files_of(module: str) -> list[Path]:
    """The module's file, and those of the packages around it."""
    parts = module.split(".")
    folders = [ROOT.joinpath(*parts[: n + 1]) for n in range(len(parts))]
    candidates = [
        f for folder in folders for f in (folder.with_suffix(".py"), folder / "__init__.py")
    ]
    return [path for path in candidates if path.exists()]


@pytest.mark.parametrize("service", SERVICES)
def test_an_extra_holds_what_its_service_imports(service: str) -> None:
    waiting = [p for p in (ROOT / "services" / service).rglob("*.py") if ELSEWHERE not in p.parents]
    seen: set[Path] = set()
    needed: dict[str, Path] = {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in imports(path):
            top = module.partition(".")[0]
            if top in {"services", "shared"}:
                waiting += files_of(module)
            elif top not in sys.stdlib_module_names:
                needed[DISTRIBUTIONS.get(top, top)] = path
    given = {*PROJECT["dependencies"], *EXTRAS.get(service, [])}
    if service in TRAINS:
        given |= {*EXTRAS["train"], *EXTRAS["learn"]}
    assert {name: path for name, path in needed.items() if name not in given} == {}


def test_everything_named_is_pinned() -> None:
    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {normal(line.partition("==")[0]) for line in lines if "==" in line}
    named = {*PROJECT["dependencies"], *(n for names in EXTRAS.values() for n in names)}
    assert {n for n in named if not n.startswith("tocsin[") and normal(n) not in pinned} == set()
    assert not any("://" in line or line.startswith("-") for line in lines)
