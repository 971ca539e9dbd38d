"""SNPCC: 21,319 simulated DES griz supernovae, the photometric classification challenge.

Kessler et al. 2010, arXiv:1008.1024, unblinded (``SIMGEN_PUBLIC_DES``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.classify.training.datasets.base import (
    FLUXCAL_NJY,
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)

_FOLDER = "light_curves/snpcc"


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    paths = SNPCC.paths(data)
    meta = pq.read_table(paths[0], columns=["snid", "type", "sim_z", "host_photoz"])
    points = pa.concat_tables([pq.read_table(path) for path in paths[1:]])
    objects, curves = grouped(
        points["snid"].to_numpy(),
        {
            "mjd_tai": points["mjd"].to_numpy().astype(np.float64) + 56_000.0,
            "flux_njy": points["fluxcal"].to_numpy() * FLUXCAL_NJY,
            "flux_err_njy": points["fluxcal_err"].to_numpy() * FLUXCAL_NJY,
            "band": points["band"].to_numpy() + 1,  # griz = 0..3 there, 1..4 here
        },
    )
    ids = meta["snid"].to_numpy()
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, objects, sorter=order)]
    class_name = np.array([f"SN {name}" for name in meta["type"].to_pylist()])[row]
    truth = Truth(
        object_id=objects.astype(np.str_),
        class_name=class_name,
        is_sn_ia=class_name == "SN Ia",
        redshift=meta["sim_z"].to_numpy()[row].astype(np.float64),
    )
    photo_z = meta["host_photoz"].to_numpy()[row].astype(np.float64)
    surroundings = Surroundings(np.full(len(objects), np.nan), photo_z)
    return LabelledLightCurves("snpcc", curves, truth, surroundings)


SNPCC = DatasetDefinition(
    name="snpcc",
    files=(f"{_FOLDER}/snpcc_meta.parquet", f"{_FOLDER}/snpcc_obs_*.parquet"),
    is_simulated=True,
    load=load,
)
