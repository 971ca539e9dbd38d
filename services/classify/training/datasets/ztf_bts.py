"""ZTF Bright Transient Survey: real g and r light curves of spectroscopic SNe Ia, nothing else.

Fremling et al. 2020, Perley et al. 2020; points as served by ANTARES, detections only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from services.classify.training.datasets.base import (
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.photometry import flux_err_njy_of, flux_njy_of

_BANDS = {"g": 1, "R": 2, "i": 3}


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    (path,) = ZTF_BTS.paths(data)
    points = pq.read_table(path)
    flux = flux_njy_of(points["mag"].to_numpy())
    objects, curves = grouped(
        np.array(points["ztfid"].to_pylist(), dtype=np.str_),
        {
            "mjd_tai": points["time"].to_numpy(),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, points["magerr"].to_numpy()),
            "band": np.array([_BANDS[name] for name in points["band"].to_pylist()]),
        },
    )
    truth = Truth(
        object_id=objects,
        class_name=np.full(len(objects), "SN Ia"),
        is_sn_ia=np.ones(len(objects), dtype=bool),
        redshift=np.full(len(objects), np.nan),
    )
    return LabelledLightCurves("ztf_bts", curves, truth, Surroundings.unknown(len(objects)))


ZTF_BTS = DatasetDefinition(
    name="ztf_bts",
    files=("light_curves/ztf_bts_snia/ztf_bts_snia_lc.parquet",),
    is_simulated=False,
    load=load,
)
