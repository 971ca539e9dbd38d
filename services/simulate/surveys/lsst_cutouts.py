"""LSST's cutouts: FITS files of image, variance and PSF, as Rubin's alerts of 2026 carry them.

Three extensions, not compressed: image in nJy with a WCS, variance (EXTNAME UNCERT), 41 x 41
PSF (EXTNAME PSFIMAGE). Layout after real packets of schema v10.0.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from services.simulate.fits_images import header, padded
from services.simulate.models.base import FloatArray

CUTOUT_PIXELS = 31
_PSF_PIXELS = 41
_WIDTH = 20
"""A FITS value fills the columns 11 to 30 of its card."""


def _image_header(pixel_arcsec: float) -> bytes:
    scale = pixel_arcsec / 3600.0
    middle = CUTOUT_PIXELS // 2 + 1.0
    return header(
        [
            ("SIMPLE", True),
            ("BITPIX", -32),
            ("NAXIS", 2),
            ("NAXIS1", CUTOUT_PIXELS),
            ("NAXIS2", CUTOUT_PIXELS),
            ("EXTEND", True),
            ("BUNIT", "nJy"),
            ("WCSAXES", 2),
            ("CRPIX1", middle),
            ("CRPIX2", middle),
            ("PC1_1", -scale),
            ("PC2_2", scale),
            ("CDELT1", 1.0),
            ("CDELT2", 1.0),
            ("CUNIT1", "deg"),
            ("CUNIT2", "deg"),
            ("CTYPE1", "RA---TAN"),
            ("CTYPE2", "DEC--TAN"),
            ("RADESYS", "ICRS"),
            ("CRVAL1", 0.0),
            ("CRVAL2", 0.0),
        ]
    )


@cache
def _template(pixel_arcsec: float) -> tuple[npt.NDArray[np.uint8], dict[str, int]]:
    """A whole file with empty pixels, and where its changing parts begin."""
    first = _image_header(pixel_arcsec)
    pixels = padded(4 * CUTOUT_PIXELS**2)
    variance = _extension(-32, CUTOUT_PIXELS, "UNCERT", "VarianceUncertainty")
    psf = _extension(-64, _PSF_PIXELS, "PSFIMAGE", None)
    whole = (
        first + bytes(pixels) + variance + bytes(pixels) + psf + bytes(padded(8 * _PSF_PIXELS**2))
    )
    places = {
        "ra": first.index(b"CRVAL1") + 10,
        "dec": first.index(b"CRVAL2") + 10,
        "image": len(first),
        "variance": len(first) + pixels + len(variance),
        "psf": len(first) + 2 * pixels + len(variance) + len(psf),
    }
    return np.frombuffer(whole, dtype=np.uint8), places


def _extension(bits: int, size: int, name: str, kind: str | None) -> bytes:
    cards: list[tuple[str, bool | int | float | str]] = [
        ("XTENSION", "IMAGE"),
        ("BITPIX", bits),
        ("NAXIS", 2),
        ("NAXIS1", size),
        ("NAXIS2", size),
        ("PCOUNT", 0),
        ("GCOUNT", 1),
        ("EXTNAME", name),
    ]
    if kind is not None:
        cards.append(("UTYPE", kind))
    return header(cards)


@cache
def _psf_bytes(fwhm_hundredths_pixel: int) -> npt.NDArray[np.uint8]:
    """The Moffat PSF of index 3, normalised, big-endian doubles."""
    alpha = fwhm_hundredths_pixel / 100.0 / 1.0196
    offset = np.arange(_PSF_PIXELS) - _PSF_PIXELS // 2
    spread = (1.0 + (offset[:, None] ** 2 + offset[None, :] ** 2) / alpha**2) ** -3.0
    return np.frombuffer((spread / spread.sum()).astype(">f8").tobytes(), dtype=np.uint8)


def cutout_files(
    images: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    ra_deg: FloatArray,
    dec_deg: FloatArray,
    fwhm_pixels: FloatArray,
    pixel_arcsec: float,
) -> npt.NDArray[np.uint8]:
    """FITS files of the images.

    Parameters
    ----------
    images
        Shape (n, 3, size, size), nanojansky.
    variance
        Shape (n, 3): variance of an empty pixel of each, nanojansky squared.
    ra_deg, dec_deg
        ICRS place of the central pixel, shape (n,).

    Returns
    -------
    Shape (n, 3, file size).
    """
    template, at = _template(pixel_arcsec)
    n, kinds = images.shape[:2]
    files = np.broadcast_to(template, (n, kinds, len(template))).copy()
    pixels = images.astype(">f4").reshape(n, kinds, -1).view(np.uint8)
    files[:, :, at["image"] : at["image"] + pixels.shape[2]] = pixels
    flat = np.broadcast_to(variance[:, :, None, None], images.shape)
    noise = flat.astype(">f4").reshape(n, kinds, -1).view(np.uint8)
    files[:, :, at["variance"] : at["variance"] + noise.shape[2]] = noise
    for i in range(n):
        psf = _psf_bytes(round(float(fwhm_pixels[i]) * 100.0))
        files[i, :, at["psf"] : at["psf"] + len(psf)] = psf
        for name, value in (("ra", ra_deg[i]), ("dec", dec_deg[i])):
            written = f"{value:.13f}".rjust(_WIDTH).encode("ascii")
            files[i, :, at[name] : at[name] + _WIDTH] = np.frombuffer(written, dtype=np.uint8)
    return files
