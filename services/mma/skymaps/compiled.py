"""Any region as a multi-order map: cells are split where the density changes within them."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from services.mma.skymaps.base import AnalyticRegion, FloatArray, Region
from services.mma.skymaps.multi_order import MultiOrderMap, compile_map
from shared.sky.healpix import DEEPEST_ORDER, healpix29_of

_FIRST_ORDER = 3
MAX_CELLS = 2_000_000
"""A ring of arcseconds about half the sky would need more: it is then left coarser."""


def compiled(region: Region) -> MultiOrderMap:
    """The region as sorted ranges of order-29 cells, normalised to one.

    Maps are returned as they are. A formula is sampled at the four children of every cell;
    cells are as fine as its ``cell_limits_deg`` asks, down to order 29.
    """
    if isinstance(region, MultiOrderMap):
        return region
    formula = cast(AnalyticRegion, region)
    order = _FIRST_ORDER
    cells = np.arange(12 << (2 * order), dtype=np.int64)
    orders: list[npt.NDArray[np.int64]] = []
    kept: list[npt.NDArray[np.int64]] = []
    total = 0
    while len(cells):
        ra_deg, dec_deg = cell_centres_deg(cells, order)
        radius = cell_radius_deg(order)
        splits = formula.cell_limits_deg(ra_deg, dec_deg, radius) < radius
        if order == DEEPEST_ORDER or total + 4 * int(splits.sum()) > MAX_CELLS:
            splits[:] = False
        kept.append(cells[~splits])
        orders.append(np.full(len(kept[-1]), order, dtype=np.int64))
        total += len(kept[-1])
        cells = (4 * cells[splits][:, None] + np.arange(4)).ravel()
        order += 1
    all_orders, all_cells = np.concatenate(orders), np.concatenate(kept)
    density = _sampled(region, all_orders, all_cells)
    area_sr = 4.0 * np.pi / (12.0 * 4.0**all_orders)
    return compile_map(all_orders, all_cells, density / float(np.sum(density * area_sr)))


def _sampled(
    region: Region, orders: npt.NDArray[np.int64], cells: npt.NDArray[np.int64]
) -> FloatArray:
    density = np.empty(len(cells))
    for order in np.unique(orders):
        at = orders == order
        if order == DEEPEST_ORDER:
            ra_deg, dec_deg = cell_centres_deg(cells[at], int(order))
        else:
            children = (4 * cells[at][:, None] + np.arange(4)).ravel()
            ra_deg, dec_deg = cell_centres_deg(children, int(order) + 1)
        values = region.densities_per_sr(ra_deg, dec_deg, healpix29_of(ra_deg, dec_deg))
        density[at] = values.reshape(int(at.sum()), -1).mean(axis=1)
    return density


def cell_centres_deg(cells: npt.NDArray[np.int64], order: int) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination of the centres of nested cells, ICRS, degrees."""
    from cdshealpix.nested import healpix_to_lonlat  # noqa: PLC0415 - only notices need it

    lon, lat = healpix_to_lonlat(cells.astype(np.uint64), order)
    return np.asarray(lon.deg) % 360.0, np.asarray(lat.deg)


def cell_radius_deg(order: int) -> float:
    """Distance from a cell's centre that no corner exceeds, degrees.

    The tallest cells stand where |sin dec| = 2/3: half of one is 0.894 rad / nside.
    """
    return float(np.degrees(0.95 / (1 << order)))
