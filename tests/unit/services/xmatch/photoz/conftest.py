from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.xmatch.photoz.features import feature_rows

pytest.importorskip("sklearn")

_PATH = Path(__file__).parent / "simulated_galaxies.py"
_SPEC = importlib.util.spec_from_file_location(_PATH.stem, _PATH)
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
BANDS, simulated_galaxies = _MODULE.BANDS, _MODULE.simulated_galaxies


@pytest.fixture(scope="session")
def bands():
    return list(BANDS)


@pytest.fixture(scope="session")
def made_up(bands):
    """Made-up galaxies with at least three bands: columns, features and redshifts."""
    columns = simulated_galaxies(4000, seed=3)
    redshift = columns.pop("redshift")
    rows, known = feature_rows(columns, bands)
    good = known >= 3
    return {k: v[good] for k, v in columns.items()}, rows[good], redshift[good]


@pytest.fixture(scope="session")
def forest(made_up, bands):
    from services.xmatch.photoz.training import train_forest

    _, rows, redshift = made_up
    return train_forest(rows[:3000], redshift[:3000], len(bands), trees=20)


@pytest.fixture
def galaxy_file(tmp_path):
    def write(name, seed=5, galaxies=1500, **changes):
        columns = {**simulated_galaxies(galaxies, seed), **changes}
        table = pa.table({k: np.asarray(v) for k, v in columns.items()})
        path = tmp_path / name
        if name.endswith(".csv"):
            import pyarrow.csv

            pyarrow.csv.write_csv(table, path)
        else:
            pq.write_table(table, path)
        return path

    return write
