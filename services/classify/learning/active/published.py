"""The curves of Ishida et al. 2019, as their code left them: to stand beside ours."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv

_FILES = {
    "uncertainty": "snpcc/published_al_curves/diag_unc_RF_fullsample.csv",
    "random": "snpcc/published_al_curves/diag_random_RF_fullsample.csv",
    "canonical": "snpcc/published_al_curves/diag_random_RF_fullsample_canonical.csv",
    "uncertainty, 2019-08": "snpcc_published/diag_unc_RF_fullsample.csv.gz",
    "canonical, 2019-08": "snpcc_published/diag_random_RF_fullsample_canonical.csv.gz",
}
"""Two runs of the authors: of April 2018 (1,333 test objects) and of August 2019 (6,355)."""
COLUMNS = {"accuracy": "accuracy", "eff": "efficiency", "pur": "purity", "fom": "figure_of_merit"}


def published_curves(data: Path) -> dict[str, dict[str, np.ndarray]]:
    """By run: number of queries and each measure, shape (rounds,); files that are missing not."""
    found = {}
    for name, file in _FILES.items():
        path = data / "light_curves" / file
        if not path.exists():
            continue
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        table = pa_csv.read_csv(io.BytesIO(text))
        curves = {own: table[theirs].to_numpy() for theirs, own in COLUMNS.items()}
        found[name] = {"queries": table["nqueries"].to_numpy(), **curves}
    return found
