"""OGLE-II: real I-band light curves of 214 microlensing events and 91 variable stars.

Udalski et al. 1997. Total magnitudes. For judging only: nothing is trained on them.
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

_I_BAND = 3


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``; times are days since each object's own zero."""
    (path,) = OGLE_REAL.paths(data)
    points = pq.read_table(path)
    ids = np.array(points["id"].to_pylist(), dtype=np.str_)
    labels = np.array(points["label"].to_pylist(), dtype=np.str_)
    flux = flux_njy_of(points["mag"].to_numpy())
    objects, curves = grouped(
        np.char.add(np.char.add(labels, ":"), ids),
        {
            "mjd_tai": points["t"].to_numpy().astype(np.float64),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, points["magerr"].to_numpy()),
            "band": np.full(len(flux), _I_BAND),
        },
    )
    is_lens = np.char.startswith(objects, "ML")
    truth = Truth(
        object_id=objects,
        class_name=np.where(is_lens, "microlensing", "variable"),
        is_sn_ia=np.zeros(len(objects), dtype=bool),
        redshift=np.zeros(len(objects)),
    )
    return LabelledLightCurves("ogle_real", curves, truth, Surroundings.unknown(len(objects)))


OGLE_REAL = DatasetDefinition(
    name="ogle_real",
    files=("light_curves/microlensing_ogle/ogle2_real_lc.parquet",),
    is_simulated=False,
    load=load,
)
