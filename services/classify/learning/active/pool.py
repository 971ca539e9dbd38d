"""Data sets as pools for active learning: features and truth, the spectroscopic sample marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from services.classify.learning.models.refitted import filled
from services.classify.learning.streams.base import LEAST_PRESENT, light_curve_rows
from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.datasets.plasticc import PLASTICC
from services.classify.training.datasets.snpcc import SNPCC

TEST_OBJECTS = 6_000
PLASTICC_TEST_OBJECTS = 2_500
"""Of 7,848."""


@dataclass(frozen=True, slots=True)
class Pool:
    """All objects."""

    dataset: LabelledLightCurves
    rows: npt.NDArray[np.float32]
    """Shape (n, features), from the light curve only, without NaN."""
    is_sn_ia: npt.NDArray[np.bool_]
    """Shape (n,)."""
    is_spectroscopic: npt.NDArray[np.bool_]
    """Shape (n,): in the challenge's own, bright, training sample."""
    mag_r: npt.NDArray[np.float64]
    """Shape (n,): AB magnitude of the brightest r point of S/N 5; NaN without one."""
    test_objects: int = TEST_OBJECTS

    def split(self, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows of the test objects and of the pool; neither is in the spectroscopic sample."""
        rest = np.random.default_rng([seed, 21_319]).permutation(
            np.flatnonzero(~self.is_spectroscopic)
        )
        return rest[: self.test_objects], rest[self.test_objects :]


def snpcc_pool(data: Path) -> Pool:
    """SNPCC; raises ``FileNotFoundError``."""
    dataset = SNPCC.load(data)
    meta = pq.read_table(SNPCC.paths(data)[0], columns=["snid", "spec"])
    spec = dict(zip(map(str, meta["snid"].to_pylist()), meta["spec"].to_pylist(), strict=True))
    names = dataset.truth.object_id.tolist()
    return pool_of(dataset, np.array([bool(spec[name]) for name in names]), TEST_OBJECTS)


def plasticc_pool(data: Path) -> Pool:
    """PLAsTiCC's training set, which has no part with spectra; raises ``FileNotFoundError``."""
    dataset = PLASTICC.load(data)
    return pool_of(dataset, np.zeros(len(dataset), dtype=bool), PLASTICC_TEST_OBJECTS)


def pool_of(
    dataset: LabelledLightCurves, is_spectroscopic: npt.NDArray[np.bool_], test_objects: int
) -> Pool:
    """A pool of any set of light curves."""
    rows, _ = light_curve_rows(dataset)
    rows = rows[:, np.isfinite(rows).mean(axis=0) > LEAST_PRESENT]
    return Pool(
        dataset, filled(rows), dataset.truth.is_sn_ia, is_spectroscopic,
        brightest_mag(dataset, 2), test_objects,
    )  # fmt: skip


POOLS: dict[str, Callable[[Path], Pool]] = {"snpcc": snpcc_pool, "plasticc": plasticc_pool}
"""By the name of the season."""


def brightest_mag(dataset: LabelledLightCurves, band: int) -> npt.NDArray[np.float64]:
    """AB magnitude of each object's brightest point of S/N 5 in a band; NaN without one."""
    curves = dataset.curves
    good = (curves.band == band) & (curves.flux_njy > 5.0 * curves.flux_err_njy)
    greatest = np.zeros(len(curves))
    np.maximum.at(greatest, curves.alert_index[good], curves.flux_njy[good].astype(np.float64))
    with np.errstate(divide="ignore"):
        return np.where(greatest > 0.0, 31.4 - 2.5 * np.log10(greatest), np.nan)
