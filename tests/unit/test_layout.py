"""The house is as docs/architecture.md draws it: same files, walls, no environment at import."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

import services
import shared

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")])
RIVER = ["ingest", "xmatch", "classify", "mma", "distribute", "archive"]
VERBS = {
    "ingest": "normalise", "xmatch": "crossmatch", "classify": "classify",
    "mma": "correlate", "distribute": "deliver", "archive": "store",
}  # fmt: skip
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "data", "info", "common", "misc"}


def test_packages_come_from_this_checkout() -> None:
    assert Path(services.__file__).parents[1] == ROOT
    assert Path(shared.__file__).parents[1] == ROOT


@pytest.mark.parametrize("name", RIVER)
def test_every_service_has_the_same_files(name: str) -> None:
    folder = ROOT / "services" / name
    expected = ["__init__", "__main__", "settings", "agent", "metrics", VERBS[name]]
    missing = [f for f in expected if not (folder / f"{f}.py").exists()]
    assert missing == []
    assert len((folder / "agent.py").read_text().splitlines()) <= 100


def test_the_portal_has_the_files_of_a_service_that_no_topic_drives() -> None:
    folder = ROOT / "services" / "portal"
    expected = ["__init__", "__main__", "settings", "app", "metrics", "routes/__init__"]
    assert [f for f in expected if not (folder / f"{f}.py").exists()] == []


def test_every_route_file_is_registered() -> None:
    folder = ROOT / "services" / "portal" / "routes"
    registry = (folder / "__init__.py").read_text()
    files = {f.stem for f in folder.glob("*.py")} - {"__init__"}
    assert {name for name in files if f"{name}.router" not in registry} == set()


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def breaches(path: Path) -> list[str]:
    """What is wrong with the names and imports of a file."""
    relative = path.relative_to(ROOT)
    knows_faust = relative.name in {"agent.py", "__main__.py"} or relative.parts[:2] == (
        "shared",
        "kafka",
    )
    imported = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    found = []
    if not knows_faust and imported & {"faust", "mode"}:
        found.append("only agent.py, __main__.py and shared/kafka know Faust")
    if "pickle" in imported:
        found.append("imports pickle")
    found += FORBIDDEN_NAMES & {part.removesuffix(".py") for part in relative.parts}
    return [f"{relative}: {what}" for what in found]


def test_walls_and_names() -> None:
    assert len(SOURCES) > 500
    assert [breach for path in SOURCES for breach in breaches(path)] == []


def reads_environment_at_import(path: Path) -> bool:
    at_import = [
        n
        for n in tree_of(path).body
        if not isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    text = "\n".join(ast.unparse(n) for n in at_import)
    return "os.environ" in text or "getenv" in text


def test_nothing_is_read_from_the_environment_at_import() -> None:
    reading = [path for path in SOURCES if reads_environment_at_import(path)]
    assert [str(path.relative_to(ROOT)) for path in reading] == []
