"""Names made of positions, for catalogs whose file has none of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

LENGTH = len("J000315.04+160844.7")


@njit(cache=True, nogil=True)
def _digits(out: Any, at: int, value: int, count: int) -> None:
    for place in range(count):
        out[at + count - 1 - place] = 48 + value % 10
        value //= 10


@njit(cache=True, nogil=True)
def _write(ra_deg: Any, dec_deg: Any, out: Any) -> None:
    for row in range(len(ra_deg)):
        # A millionth of the last digit, so that 15.04 s stored as 15.039999999 stays 15.04.
        centiseconds = int((ra_deg[row] % 360.0) * 24_000.0 + 1e-6) % 8_640_000
        deciarcsec = int(abs(dec_deg[row]) * 36_000.0 + 1e-6)
        text = out[row]
        text[0] = 74  # J
        _digits(text, 1, centiseconds // 360_000, 2)
        _digits(text, 3, centiseconds // 6_000 % 60, 2)
        _digits(text, 5, centiseconds // 100 % 60, 2)
        text[7] = 46  # .
        _digits(text, 8, centiseconds % 100, 2)
        text[10] = 45 if dec_deg[row] < 0.0 else 43  # - or +
        _digits(text, 11, deciarcsec // 36_000, 2)
        _digits(text, 13, deciarcsec // 600 % 60, 2)
        _digits(text, 15, deciarcsec // 10 % 60, 2)
        text[17] = 46
        _digits(text, 18, deciarcsec % 10, 1)


def designations(ra_deg: npt.NDArray[np.float64], dec_deg: npt.NDArray[np.float64]) -> pa.Array:
    """IAU-style designations ``Jhhmmss.ss±ddmmss.s`` of ICRS positions.

    Truncated, not rounded, as the IAU asks. A string array, shape (n,), null where the
    position is not on the sphere.
    """
    on_sphere = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90.0)
    text = np.zeros((len(ra_deg), LENGTH), dtype=np.uint8)
    _write(np.where(on_sphere, ra_deg, 0.0), np.where(on_sphere, dec_deg, 0.0), text)
    offsets = np.arange(len(ra_deg) + 1, dtype=np.int32) * LENGTH
    validity = np.packbits(on_sphere, bitorder="little")
    return pa.StringArray.from_buffers(
        len(ra_deg), pa.py_buffer(offsets), pa.py_buffer(text), pa.py_buffer(validity)
    )
