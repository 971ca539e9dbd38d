from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from services.xmatch.solar_system.mpcorb import read_mpcorb


@pytest.fixture
def asteroids():
    path = Path(__file__).parent / "large_asteroids.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def orbits(tmp_path, asteroids):
    path = tmp_path / "five.dat"
    path.write_text("\n".join(asteroids.LINES) + "\n")
    return read_mpcorb(path)
