"""Rubin's official alert schemas, read as data files from the package ``lsst-alert-packet``.

The package is GPL; Tocsin never imports it, and installs it without its dependencies
(``pip install --no-deps -r packages-without-dependencies.txt``).
Kafka's schema ids are ``100 * major + minor`` (DMTN-093): v10.0 is 1000, v7.4 is 704.
"""

from __future__ import annotations

import importlib.metadata
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from shared.errors import RejectedRecordError

PACKAGE = "lsst-alert-packet"


def schema_id_of(major: int, minor: int) -> int:
    """The id under which Rubin's registry holds a version."""
    return 100 * major + minor


@cache
def official_versions() -> dict[tuple[int, int], Path]:
    """Folder of each version (major, minor) in the installed package, oldest first; maybe none."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found: dict[tuple[int, int], Path] = {}
    for file in files:
        if file.name.startswith("lsst.v") and file.name.endswith(".alert.avsc"):
            major, minor = file.name.removeprefix("lsst.v").removesuffix(".alert.avsc").split("_")
            found[int(major), int(minor)] = Path(str(file.locate())).parent
    return dict(sorted(found.items()))


@cache
def official_schema_json(major: int, minor: int) -> bytes:
    """The version's alert schema as one self-contained JSON document.

    Raises
    ------
    RejectedRecordError
        ``unknown_schema``, if the package is not installed or does not hold the version.
    """
    folder = official_versions().get((major, minor))
    if folder is None:
        known = ", ".join(f"{a}.{b}" for a, b in official_versions()) or "none"
        raise RejectedRecordError(
            "unknown_schema",
            f"no official LSST schema {major}.{minor} (known: {known}); install {PACKAGE} "
            "(pip install --no-deps -r packages-without-dependencies.txt) or set a registry",
        )
    return orjson.dumps(assemble(folder, f"lsst.v{major}_{minor}.alert"))


def assemble(folder: Path, name: str) -> dict[str, Any]:
    """The schema ``name`` with the named types of ``folder`` written out where first used."""
    parts = {path.stem: orjson.loads(path.read_bytes()) for path in folder.glob("*.avsc")}
    used: set[str] = set()

    def expand(schema: Any) -> Any:
        if isinstance(schema, str):
            if schema in parts and schema not in used:
                used.add(schema)
                return expand(parts[schema])
            return schema
        if isinstance(schema, list):
            return [expand(branch) for branch in schema]
        written = dict(schema)
        if written.get("type") == "record":
            written["fields"] = [
                {**field, "type": expand(field["type"])} for field in written["fields"]
            ]
        elif "items" in written:
            written["items"] = expand(written["items"])
        elif isinstance(written.get("type"), dict | list):
            written["type"] = expand(written["type"])
        return written

    used.add(name)
    whole: dict[str, Any] = expand(parts[name])
    return whole
