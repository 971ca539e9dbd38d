"""The contract of a training set: light curves on one side, truth on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.light_curves.bands import DETECTION
from shared.light_curves.ragged import RaggedLightCurves

FLUXCAL_NJY = 10.0 ** ((31.4 - 27.5) / 2.5)
"""Nanojansky of one SNANA FLUXCAL unit (zero point 27.5, Kessler et al. 2010)."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What only the maker of the data knows. Never given to feature code."""

    object_id: npt.NDArray[np.str_]
    """Shape (n,)."""
    class_name: npt.NDArray[np.str_]
    """Shape (n,), in the data set's own words."""
    is_sn_ia: npt.NDArray[np.bool_]
    """Shape (n,): a normal type Ia; 91bg-likes, Iax and other peculiar ones are not."""
    redshift: npt.NDArray[np.float64]
    """Shape (n,), 0 for Galactic objects, NaN if unknown."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an observer knows of an object besides its light: for feature code."""

    galactic_latitude_deg: npt.NDArray[np.float64]
    """Shape (n,), NaN if unknown."""
    host_redshift: npt.NDArray[np.float64]
    """Shape (n,), photometric or spectroscopic, of the host; NaN where there is none."""

    @staticmethod
    def unknown(objects: int) -> Surroundings:
        """Nothing known of ``objects`` objects."""
        return Surroundings(np.full(objects, np.nan), np.full(objects, np.nan))

    def of(self, rows: npt.NDArray[np.integer[Any]]) -> Surroundings:
        """Those of some objects, in that order."""
        return Surroundings(self.galactic_latitude_deg[rows], self.host_redshift[rows])


@dataclass(frozen=True, slots=True)
class LabelledLightCurves:
    """Whole light curves and their truth, object by object."""

    name: str
    curves: RaggedLightCurves
    truth: Truth
    surroundings: Surroundings

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self.curves)


@dataclass(frozen=True, slots=True)
class DatasetDefinition:
    """One public data set and how to read it."""

    name: str
    files: tuple[str, ...]
    """Paths (globs) under the data folder; hashed into the model card."""
    is_simulated: bool
    load: Callable[[Path], LabelledLightCurves]
    """From the data folder; raises ``FileNotFoundError`` if a file is missing."""

    def paths(self, data: Path) -> list[Path]:
        """The files of this set under ``data``, sorted.

        Raises
        ------
        FileNotFoundError
            If one of ``files`` matches nothing.
        """
        found: list[Path] = []
        for pattern in self.files:
            matches = sorted(data.glob(pattern))
            if not matches:
                raise FileNotFoundError(
                    f"{data / pattern} is missing; set TOCSIN_DATA or --data to the folder that"
                    f" holds light_curves/ (data set {self.name})"
                )
            found += matches
        return found


def grouped(
    keys: npt.NDArray[Any], columns: dict[str, npt.NDArray[Any]]
) -> tuple[npt.NDArray[Any], RaggedLightCurves]:
    """Sort points by object and time, and make ragged light curves of them.

    Parameters
    ----------
    keys
        Object of each point, shape (m,).
    columns
        ``mjd_tai``, ``flux_njy``, ``flux_err_njy`` and ``band``, shape (m,) each.

    Returns
    -------
    objects, curves
        The distinct keys in order, and their curves; every point a detection.
    """
    order = np.lexsort((columns["mjd_tai"], keys))
    objects, starts = np.unique(keys[order], return_index=True)
    offsets = np.append(starts, len(keys)).astype(np.int32)
    return objects, RaggedLightCurves(
        offsets=offsets,
        mjd_tai=columns["mjd_tai"][order].astype(np.float64),
        flux_njy=columns["flux_njy"][order].astype(np.float32),
        flux_err_njy=columns["flux_err_njy"][order].astype(np.float32),
        band=columns["band"][order].astype(np.int8),
        kind=np.full(len(keys), DETECTION, dtype=np.int8),
    )
