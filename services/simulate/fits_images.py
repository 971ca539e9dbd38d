"""Cutouts as FITS files: gzipped single images (ZTF), image with variance and PSF (LSST)."""

from __future__ import annotations

from collections.abc import Sequence

import cramjam
import numpy as np
import numpy.typing as npt

_BLOCK = 2880
_CARD = 80

Card = tuple[str, bool | int | float | str]


def header(cards: Sequence[Card]) -> bytes:
    """A FITS header of ``cards``, END added, padded to whole blocks."""
    text = "".join(_card(name, value) for name, value in cards) + "END".ljust(_CARD)
    return text.ljust(-(-len(text) // _BLOCK) * _BLOCK).encode("ascii")


def _card(name: str, value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        written = ("T" if value else "F").rjust(20)
    elif isinstance(value, str):
        written = f"'{value:<8}'".ljust(20)
    elif isinstance(value, float):
        written = f"{value:.14G}".rjust(20)
    else:
        written = str(value).rjust(20)
    return f"{name:<8}= {written}".ljust(_CARD)


def padded(size_bytes: int) -> int:
    """``size_bytes`` rounded up to whole FITS blocks."""
    return -(-size_bytes // _BLOCK) * _BLOCK


def gzipped_images(images: npt.NDArray[np.float32], unit: str = "DN") -> list[bytes]:
    """Each image (shape (k, size, size)) as a gzipped FITS file, level 1, as ZTF sends them."""
    count, size, _ = images.shape
    top = header(
        [
            ("SIMPLE", True),
            ("BITPIX", -32),
            ("NAXIS", 2),
            ("NAXIS1", size),
            ("NAXIS2", size),
            ("BUNIT", unit),
        ]
    )
    files = np.zeros((count, len(top) + padded(4 * size * size)), dtype=np.uint8)
    files[:, : len(top)] = np.frombuffer(top, dtype=np.uint8)
    pixels = images.astype(">f4").reshape(count, -1).view(np.uint8)
    files[:, len(top) : len(top) + pixels.shape[1]] = pixels
    return [bytes(cramjam.gzip.compress(file.data, level=1)) for file in files]
