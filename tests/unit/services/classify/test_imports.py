"""What classify's code may import: no pickle anywhere, no training library where it runs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import classify

FOLDER = Path(classify.__file__).parent
FOR_TRAINING = ("training/", "learning/", "verbs/", "figures/", "optional/", "evaluation.py")
"""Folders and files that the worker never imports."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def files() -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.py"))


@pytest.mark.parametrize("name", files())
def test_nothing_can_unpickle(name: str) -> None:
    found = {module.split(".")[0] for module in imported(FOLDER / name)}
    assert not found & {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


@pytest.mark.parametrize("name", [n for n in files() if not n.startswith(FOR_TRAINING)])
def test_the_worker_needs_no_training_library(name: str) -> None:
    found = set(imported(FOLDER / name))
    top = {module.split(".")[0] for module in found}
    assert not top & {"sklearn", "lightgbm", "scipy", "matplotlib", "threadpoolctl"}
    if name != "classify_file.py":  # it draws only if asked to
        assert not any(".classify.training" in m or ".classify.figures" in m for m in found)


@pytest.mark.parametrize("name", [n for n in files() if n.startswith("features/")])
def test_feature_code_cannot_reach_the_truth(name: str) -> None:
    assert not any("training" in m or "datasets" in m for m in imported(FOLDER / name))
