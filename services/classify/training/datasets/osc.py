"""Open Supernova Catalog 2010-2014: real light curves of spectroscopically typed supernovae.

Guillochon et al. 2017, ApJ 835, 64. Detections only, from many telescopes; kept are those with
an error in g, r or i, and objects whose claimed types agree on being a normal Ia or not Ia.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.classify.training.datasets.base import (
    DatasetDefinition,
    LabelledLightCurves,
    Truth,
    grouped,
)
from shared.light_curves.photometry import flux_err_njy_of, flux_njy_of

_FOLDER = "light_curves/osc_2010_2014"
_BANDS = {"g": 1, "g'": 1, "r": 2, "r'": 2, "i": 3, "i'": 3}
_NORMAL_IA = {"Ia", "Ia-91T"}
_NOT_IA_PREFIXES = ("II", "Ib", "Ic", "SLSN", "CC", "LBV", "CV", "Impostor", "TDE")


def is_normal_ia(claimed_types: str) -> bool | None:
    """Whether all claimed types (joined by ``|``) say normal Ia, all say not, or None."""
    types = [name for name in claimed_types.split("|") if name]
    if types and all(name in _NORMAL_IA for name in types):
        return True
    if types and all(name.startswith(_NOT_IA_PREFIXES) for name in types):
        return False
    return None


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    meta_path, points_path = OSC.paths(data)
    meta = pq.read_table(meta_path, columns=["name", "types"]).to_pydict()
    verdicts = {
        name: (is_normal_ia(types), types)
        for name, types in zip(meta["name"], meta["types"], strict=True)
    }
    known = [name for name, (verdict, _) in verdicts.items() if verdict is not None]
    points = pq.read_table(points_path, columns=["name", "mjd", "band", "mag", "e_mag"])
    points = points.filter(
        pc.field("name").isin(known)
        & pc.field("band").isin(list(_BANDS))
        & (pc.field("e_mag") > 0.0)
        & (pc.field("e_mag") < 0.5)
    )
    flux = flux_njy_of(points["mag"].to_numpy())
    objects, curves = grouped(
        np.array(points["name"].to_pylist(), dtype=np.str_),
        {
            "mjd_tai": points["mjd"].to_numpy(),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, points["e_mag"].to_numpy()),
            "band": np.array([_BANDS[name] for name in points["band"].to_pylist()]),
        },
    )
    truth = Truth(
        object_id=objects,
        class_name=np.array([verdicts[name][1] for name in objects.tolist()]),
        is_sn_ia=np.array([bool(verdicts[name][0]) for name in objects.tolist()]),
        redshift=np.full(len(objects), np.nan),
    )
    return LabelledLightCurves("osc", curves, truth)


OSC = DatasetDefinition(
    name="osc",
    files=(f"{_FOLDER}/osc_meta.parquet", f"{_FOLDER}/osc_phot.parquet"),
    is_simulated=False,
    load=load,
)
