"""What the forest is asked: magnitudes, the colours of neighbouring bands, and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

LEAST_BANDS = 3
"""With fewer bands there is no shape to tell a redshift from."""
BRIGHTEST, FAINTEST = 0.0, 40.0
"""A magnitude outside is a mark of something missing (-99, 99)."""

Magnitudes = Mapping[str, npt.NDArray[np.floating]]
"""Columns ``<band>_mag`` and, where there are errors, ``<band>_mag_err``."""


def feature_rows(
    photometry: Magnitudes, bands: Sequence[str], rows: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Features of galaxies, and how many bands each has.

    Parameters
    ----------
    photometry
        Magnitudes in the system of the training.
    bands
        Blue to red; a band without a column is missing for all.
    rows
        Which galaxies; None for all.

    Returns
    -------
    Features, float32, shape (n, 3 * bands - 1): magnitudes, colours of neighbours, errors; NaN
    where missing. Numbers of bands, shape (n,).
    """
    lengths = {len(values) for values in photometry.values()}
    n = len(rows) if rows is not None else max(lengths, default=0)

    def column(name: str) -> npt.NDArray[np.float32]:
        values = photometry.get(name)
        if values is None:
            return np.full(n, np.nan, np.float32)
        return np.asarray(values if rows is None else values[rows], dtype=np.float32)

    magnitudes = np.stack([column(f"{band}_mag") for band in bands], axis=1)
    magnitudes[~((magnitudes > BRIGHTEST) & (magnitudes < FAINTEST))] = np.nan
    errors = np.stack([column(f"{band}_mag_err") for band in bands], axis=1)
    errors[~((errors > 0.0) & (errors < 10.0)) | np.isnan(magnitudes)] = np.nan
    colours = magnitudes[:, :-1] - magnitudes[:, 1:]
    known = np.isfinite(magnitudes).sum(axis=1)
    return np.concatenate([magnitudes, colours, errors], axis=1), known
