"""The model card, and writing a model to its shelf."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.classify.features import DEFINITIONS, VERSION
from services.classify.features.paczynski import UNITS as FITTED_UNITS
from services.classify.model import ARRAYS_FILE, CARD_FILE, Arrays, arrays_to_bytes, identity_of
from services.classify.model_registry import ModelShelf
from services.classify.training.datasets import DATASETS

_LIBRARIES = ("numpy", "scikit-learn", "lightgbm", "numba", "pyarrow", "scipy")


def manifest_of(data: Path, datasets: Sequence[str]) -> dict[str, Any]:
    """SHA-256 of every file of the data sets, and one over all of them."""
    files: dict[str, str] = {}
    for name in datasets:
        for path in DATASETS[name].paths(data):
            files[str(path.relative_to(data))] = hashlib.sha256(path.read_bytes()).hexdigest()
    joined = "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))
    return {
        "datasets": list(datasets),
        "is_simulated": {name: DATASETS[name].is_simulated for name in datasets},
        "files": files,
        "sha256": hashlib.sha256(joined.encode()).hexdigest(),
    }


def code_hash() -> str:
    """SHA-256 of the feature and training code: which code made the model."""
    here = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted([*here.glob("features/*.py"), *here.glob("training/**/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_model(
    shelf: ModelShelf,
    classes: Sequence[str],
    features: Sequence[str],
    arrays: Arrays,
    about: dict[str, Any],
) -> Path:
    """Write ``model.npz`` and ``model.json`` to the shelf; returns the model's folder.

    Parameters
    ----------
    shelf
        Of the classifier.
    classes, features
        Names, in order of training.
    arrays
        Of the model.
    about
        The rest of the card: ``trained_on``, ``seed``, ``growth``, ``metrics``, ``limits``,
        ``prior``, ``held_out``.
    """
    content = arrays_to_bytes(arrays)
    identity = identity_of(content)
    promoted = shelf.promoted()
    units = {**{name: d.unit for name, d in DEFINITIONS.items()}, **FITTED_UNITS}
    card = {
        "id": identity,
        "classifier": shelf.classifier,
        "parent": promoted[-1] if promoted else None,
        "classes": list(classes),
        "feature_version": VERSION,
        "features": list(features),
        "feature_units": {name: units[name] for name in features},
        **about,
        "made_with": {
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
        "made_by": f"tocsin models train {shelf.classifier} --seed {about['seed']}",
        "code_sha256": code_hash(),
    }
    folder = shelf.folder / identity[:12]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRAYS_FILE).write_bytes(content)
    (folder / CARD_FILE).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return folder
