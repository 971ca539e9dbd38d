"""Circles on the sky, as ranges of HEALPix cells; and the objects that matter inside one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.sky.cone_cells import STEEPEST, WIDEST_STEP, candidate_cells
from shared.sky.healpix import DEEPEST_ORDER, healpix29_of
from shared.sky.separation import ARCSEC_PER_RADIAN, separation_arcsec
from shared.store import Collection, Document, Store

WHOLE_SKY_ARCSEC = 648_000.0
MOST_OBJECTS = 10_000
_MOST_CELLS = 9


@dataclass(frozen=True, slots=True)
class Cone:
    """A circle on the sky, ICRS."""

    ra_deg: float
    dec_deg: float
    radius_arcsec: float


def cone_ranges(cone: Cone) -> list[tuple[int, int]]:
    """Ranges of HEALPix cells of order 29, end not included, that hold a cone; at most nine.

    Raises
    ------
    ValueError
        If the place is not on the sphere or the radius not positive.
    """
    cell = int(healpix29_of(cone.ra_deg, cone.dec_deg)[0])
    if cell < 0 or not 0 < cone.radius_arcsec <= WHOLE_SKY_ARCSEC:
        raise ValueError(
            f"no cone: RA {cone.ra_deg}, Dec {cone.dec_deg}, radius {cone.radius_arcsec} arcsec"
        )
    step, order = cone.radius_arcsec / ARCSEC_PER_RADIAN * STEEPEST, 0
    if step > WIDEST_STEP:
        return [(0, 12 << (2 * DEEPEST_ORDER))]
    while order < DEEPEST_ORDER - 1 and 2 * step <= WIDEST_STEP:
        step, order = 2 * step, order + 1
    cells = np.zeros(_MOST_CELLS, np.int64)
    count = candidate_cells(cell, order, step, cells)
    shift = 2 * (DEEPEST_ORDER - order)
    ranges: list[tuple[int, int]] = []
    for number in sorted(cells[:count].tolist()):
        low, high = number << shift, (number + 1) << shift
        if ranges and ranges[-1][1] == low:
            ranges[-1] = (ranges[-1][0], high)
        else:
            ranges.append((low, high))
    return ranges


async def objects_around(store: Store, cone: Cone, limit: int = 1000) -> list[Document]:
    """Documents of objects within a cone, nearest first, each with ``separation_arcsec``.

    Raises
    ------
    ValueError
        If the place is not on the sphere or the radius not positive.
    """
    ranges = [{"healpix29": {"$gte": low, "$lt": high}} for low, high in cone_ranges(cone)]
    found = await store.find(Collection.OBJECTS, {"$or": ranges}, limit=MOST_OBJECTS)
    if not found:
        return []
    away = separation_arcsec(
        np.array([document["ra_deg"] for document in found]),
        np.array([document["dec_deg"] for document in found]),
        np.full(len(found), cone.ra_deg),
        np.full(len(found), cone.dec_deg),
    )
    near = [row for row in np.argsort(away) if away[row] <= cone.radius_arcsec]
    return [found[row] | {"separation_arcsec": float(away[row])} for row in near[:limit]]
