"""SDSS Stripe 82: real ugriz light curves of 483 RR Lyrae stars over nine years.

Sesar et al. 2010, ApJ 708, 717. Total magnitudes: each band's median flux is subtracted, as a
template would be, so that a star is brighter or fainter than it as often.
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
from shared.light_curves.bands import BAND_CODES
from shared.light_curves.photometry import flux_err_njy_of, flux_njy_of
from shared.light_curves.ragged import RaggedLightCurves


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    (path,) = SDSS_RRLYRAE.paths(data)
    points = pq.read_table(path)
    flux = flux_njy_of(points["mag"].to_numpy().astype(np.float64))
    objects, curves = grouped(
        np.array([str(one) for one in points["id"].to_pylist()], dtype=np.str_),
        {
            "mjd_tai": points["time"].to_numpy().astype(np.float64),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, points["magerr"].to_numpy().astype(np.float64)),
            "band": np.array([BAND_CODES[str(name)[-1]] for name in points["band"].to_pylist()]),
        },
    )
    truth = Truth(
        object_id=objects,
        class_name=np.full(len(objects), "RR Lyrae"),
        is_sn_ia=np.zeros(len(objects), dtype=bool),
        redshift=np.full(len(objects), np.nan),
    )
    return LabelledLightCurves(
        "sdss_rrlyrae", less_median(curves), truth, Surroundings.unknown(len(objects))
    )


def less_median(curves: RaggedLightCurves) -> RaggedLightCurves:
    """Difference fluxes: each band's median of each object subtracted."""
    group = curves.alert_index.astype(np.int64) * len(BAND_CODES) + curves.band
    order = np.lexsort((curves.flux_njy, group))
    groups, starts, counts = np.unique(group[order], return_index=True, return_counts=True)
    median = curves.flux_njy[order][starts + counts // 2].astype(np.float64)
    return RaggedLightCurves(
        offsets=curves.offsets,
        mjd_tai=curves.mjd_tai,
        flux_njy=(curves.flux_njy - median[np.searchsorted(groups, group)]).astype(np.float32),
        flux_err_njy=curves.flux_err_njy,
        band=curves.band,
        kind=curves.kind,
    )


SDSS_RRLYRAE = DatasetDefinition(
    name="sdss_rrlyrae",
    files=("light_curves/sdss_s82_rrlyrae/rrlyrae_lc.parquet",),
    is_simulated=False,
    load=load,
)
