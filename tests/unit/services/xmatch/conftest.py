from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from services.xmatch.catalogs import CATALOGS
from services.xmatch.indexing import index_rows
from services.xmatch.store.tables import read_tables

SAMPLES = Path(__file__).parent / "samples"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sample_of():
    """The module in samples/ of a catalog; its absence fails the test."""

    def find(name):
        path = SAMPLES / f"{name}.py"
        assert path.is_file(), f"catalog {name!r} is registered but has no sample {path}"
        return load(path)

    return find


@pytest.fixture
def alerts_at():
    return load(Path(__file__).parent / "positions.py").alerts_at


@pytest.fixture
def sample_indexes(sample_of, tmp_path):
    """Galaxies and two lists of variable stars, indexed from their samples."""
    indexes = []
    for catalog in (CATALOGS[name] for name in ("openngc", "gcvs", "vsx")):
        path = tmp_path / f"{catalog.name}.sample"
        sample_of(catalog.name).write(path)
        (table,) = read_tables(catalog, path)
        indexes.append(index_rows(catalog, catalog.rows(table), "sample-1"))
    return indexes


@pytest.fixture
def places():
    """Makers of small catalogs at chosen places."""
    return load(Path(__file__).parent / "places.py")
