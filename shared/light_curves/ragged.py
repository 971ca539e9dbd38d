"""Many light curves of different lengths as flat arrays and offsets: no object per curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RaggedLightCurves:
    """The light curves of ``n`` alerts, ``m`` points in all; ``offsets[i]:offsets[i+1]`` is one.

    Within a curve points are in order of time. Arrays are views of Arrow memory: read only.
    """

    offsets: npt.NDArray[np.int32]
    """Shape (n+1,)."""
    mjd_tai: npt.NDArray[np.float64]
    """Shape (m,), days, TAI at mid-exposure."""
    flux_njy: npt.NDArray[np.float32]
    """Shape (m,), difference flux, AB nanojansky, sign included; NaN for an upper limit."""
    flux_err_njy: npt.NDArray[np.float32]
    """Shape (m,), one sigma, nanojansky; for an upper limit one fifth of the 5-sigma limit."""
    band: npt.NDArray[np.int8]
    """Shape (m,), index into ``bands.BANDS``."""
    kind: npt.NDArray[np.int8]
    """Shape (m,), ``bands.DETECTION``, ``FORCED`` or ``UPPER_LIMIT``."""

    def __len__(self) -> int:
        """How many light curves there are."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Shape (n,): points in each curve."""
        return np.diff(self.offsets)

    @property
    def alert_index(self) -> npt.NDArray[np.int32]:
        """Shape (m,): which alert each point belongs to; the key for ``np.bincount``."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def points(self, keep: npt.NDArray[np.bool_]) -> RaggedLightCurves:
        """The points for which ``keep`` (shape (m,)) is true; every curve stays, maybe empty."""
        counts = np.bincount(self.alert_index[keep], minlength=len(self))
        return RaggedLightCurves(
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            mjd_tai=self.mjd_tai[keep],
            flux_njy=self.flux_njy[keep],
            flux_err_njy=self.flux_err_njy[keep],
            band=self.band[keep],
            kind=self.kind[keep],
        )

    def curves(self, rows: npt.NDArray[np.int64]) -> RaggedLightCurves:
        """The curves ``rows`` (shape (k,)), in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - self.offsets[rows], lengths)
        return RaggedLightCurves(
            offsets=offsets.astype(np.int32),
            mjd_tai=self.mjd_tai[at],
            flux_njy=self.flux_njy[at],
            flux_err_njy=self.flux_err_njy[at],
            band=self.band[at],
            kind=self.kind[at],
        )
