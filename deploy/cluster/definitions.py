"""The definitions (CRDs) of the operators' kinds, from what their makers publish as packages.

KEDA's, Prometheus' and MongoDB's are files of their Go modules, whose hashes Go itself checks.
Strimzi publishes none as a package: its own are made from the classes of its API jar
(``strimzi/Definitions.java``), without patterns, ranges and rules. Fetched when asked for and kept
beside the checkout's other downloads; none of them is part of Tocsin.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

CACHE = Path(__file__).parents[2] / ".tocsin/definitions"
GO_MODULES = {
    "keda.sh": ("github.com/kedacore/keda/v2@v2.18.0", "config/crd/bases/keda.sh_*.yaml"),
    "eventing.keda.sh": (
        "github.com/kedacore/keda/v2@v2.18.0",
        "config/crd/bases/eventing.keda.sh_*.yaml",
    ),
    "mongodbcommunity.mongodb.com": (
        "github.com/mongodb/mongodb-kubernetes-operator@v0.13.0",
        "config/crd/bases/*.yaml",
    ),
    "monitoring.coreos.com": (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "example/prometheus-operator-crd/*_podmonitors.yaml",
    ),
}
"""Group of kinds: the module that has their definitions, and where in it."""
STRIMZI = "kafka.strimzi.io"
GROUPS = (*GO_MODULES, STRIMZI)
_STRIMZI_FOLDER = Path(__file__).parent / "strimzi"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_PATIENCE_S = 300

Definition = dict[str, Any]


class DefinitionsError(Exception):
    """An operator's definitions cannot be had here; the message says why."""


def definitions(group: str) -> list[Definition]:
    """The definitions of the kinds of ``group``, one of ``GROUPS``.

    Raises
    ------
    DefinitionsError
        If there is no go (for Strimzi: no mvn or JDK), or the package does not come.
    """
    return _strimzi() if group == STRIMZI else _of_go_module(*GO_MODULES[group])


def _of_go_module(module: str, files: str) -> list[Definition]:
    folder = json.loads(_said("go", "mod", "download", "-json", module))["Dir"]
    return [yaml.safe_load(path.read_text()) for path in sorted(Path(folder).glob(files))]


def _strimzi() -> list[Definition]:
    pom = (_STRIMZI_FOLDER / "pom.xml").read_text()
    version = re.search(r"<strimzi\.version>([\w.]+)<", pom)
    if version is None:
        raise DefinitionsError(f"{_STRIMZI_FOLDER / 'pom.xml'} names no <strimzi.version>")
    sources = sorted(_STRIMZI_FOLDER.rglob("*.java"))
    kept = CACHE / f"strimzi-{version[1]}.json"
    newest = max(path.stat().st_mtime for path in sources)
    if not kept.is_file() or kept.stat().st_mtime < newest:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            made = Path(folder) / "made.json"
            made.write_text(_made_by_java(Path(folder), sources))
            made.rename(kept)
    found: list[Definition] = json.loads(kept.read_text())["items"]
    return found


def _made_by_java(folder: Path, sources: list[Path]) -> str:
    pom = str(_STRIMZI_FOLDER / "pom.xml")
    jars = folder / "jars"
    _said(
        "mvn", "-q", "-B", "-f", pom, _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"
    )
    classes = str(folder / "classes")
    _said("javac", "-nowarn", "-d", classes, "-cp", f"{jars}/*", *map(str, sources))
    return _said("java", "-cp", f"{classes}:{jars}/*", "Definitions")


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise DefinitionsError(f"no {command[0]}, which makes or fetches the definitions")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired as late:
        raise DefinitionsError(f"{' '.join(command[:4])}: not done in {_PATIENCE_S} s") from late
    if done.returncode != 0:
        raise DefinitionsError(f"{' '.join(command[:4])}: {(done.stdout + done.stderr)[-500:]}")
    return done.stdout
