"""Cutouts as FITS and PNG. CPU-bound: call it in a thread."""

from __future__ import annotations

import io

import numpy as np

from shared.archive.cutouts import Cutout

_DARKEST, _BRIGHTEST = 1.0, 99.5
"""Percentiles of the pixels that are drawn black and white."""
_SCALE_UP = 4


def as_fits(cutout: Cutout, alert_id: str) -> bytes:
    """The pixels as one FITS image, float32, with their scale as far as it is known."""
    from astropy.io import fits  # noqa: PLC0415  # takes half a second: only here

    unit = fits.PrimaryHDU(cutout.pixels.astype(np.float32))
    unit.header["STAMP"] = (cutout.name, "science, template or difference")
    unit.header["ALERTID"] = (_ascii(alert_id), "alert the cutout belongs to")
    if cutout.scale_arcsec is not None:
        unit.header["PIXSCALE"] = (cutout.scale_arcsec, "arcsec per pixel")
    sink = io.BytesIO()
    unit.writeto(sink)
    return sink.getvalue()


def as_png(cutout: Cutout) -> bytes:
    """The pixels in grey, from the first to the 99.5th percentile (asinh), row 0 at the bottom."""
    from matplotlib import image  # noqa: PLC0415  # as above

    pixels = np.asarray(cutout.pixels, np.float64)
    known = np.isfinite(pixels)
    if known.any():
        low, high = np.percentile(pixels[known], [_DARKEST, _BRIGHTEST])
    else:
        low, high = 0.0, 1.0
    span = max(high - low, 1e-30)
    grey = np.arcsinh(np.clip((pixels - low) / span, 0.0, 1.0) * 5.0) / np.arcsinh(5.0)
    grey = np.kron(np.where(known, grey, 0.0), np.ones((_SCALE_UP, _SCALE_UP)))
    sink = io.BytesIO()
    image.imsave(sink, grey, cmap="gray", vmin=0.0, vmax=1.0, origin="lower", format="png")
    return sink.getvalue()


def _ascii(text: str) -> str:
    """FITS cards are ASCII, and at most 68 characters long."""
    return text.encode("ascii", "replace").decode()[:60]
