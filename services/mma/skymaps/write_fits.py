"""Writes a map as a multi-order FITS file, as LVK publishes them."""

from __future__ import annotations

import io

import numpy as np
from astropy.io import fits

from services.mma.skymaps.multi_order import MultiOrderMap
from shared.sky.healpix import DEEPEST_ORDER


def multi_order_fits(sky_map: MultiOrderMap) -> bytes:
    """UNIQ and PROBDENSITY (per steradian), and the distance layers if there are any.

    Every range must be one HEALPix cell: it is in maps that were read, compiled or combined.
    """
    width = (sky_map.end - sky_map.first).astype(np.float64)
    shift = (np.frexp(width)[1].astype(np.int64) - 1) // 2
    order = DEEPEST_ORDER - shift
    uniq = (sky_map.first >> (2 * shift)) + (np.int64(4) << (2 * order))
    columns = [
        fits.Column("UNIQ", "K", array=uniq),
        fits.Column("PROBDENSITY", "D", unit="sr-1", array=sky_map.density_per_sr),
    ]
    if sky_map.layers is not None:
        columns += [
            fits.Column("DISTMU", "D", unit="Mpc", array=sky_map.layers.mu_mpc),
            fits.Column("DISTSIGMA", "D", unit="Mpc", array=sky_map.layers.sigma_mpc),
            fits.Column("DISTNORM", "D", unit="Mpc-2", array=sky_map.layers.norm_per_mpc2),
        ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(
        {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "INDXSCHM": "EXPLICIT",
         "MOCORDER": int(order.max())}
    )  # fmt: skip
    for name, value in (("DISTMEAN", sky_map.distance_mpc), ("DISTSTD", sky_map.distance_err_mpc)):
        if value is not None:
            table.header[name] = value
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()
