"""Which of many regions hold a position: one binary search, however many there are.

The sphere, as cells of order 29 in nested order, is cut wherever a region begins or ends. Each
piece knows the regions that cover it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.xmatch.watchlists.entries import WatchlistError

MOST_COVERS = 200_000_000
"""Pairs of piece and region that are kept: 800 MB, mapped. Many all-sky regions of fine grain
would need more, and are better degraded."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The cut sphere."""

    edges: npt.NDArray[np.int64]
    """First cell of each piece, in order, shape (k,); before the first lies no region."""
    starts: npt.NDArray[np.int64]
    """Where in ``regions`` each piece begins, and one number past the end, shape (k + 1,)."""
    regions: npt.NDArray[np.int32]
    """Numbers of the regions that cover the pieces, in order."""


def cut_sphere(regions: Sequence[npt.NDArray[np.int64]]) -> Segments:
    """Cut the sphere by the ranges of regions, each of shape (n, 2), sorted and apart.

    Raises
    ------
    WatchlistError
        If together they need more than ``MOST_COVERS``.
    """
    if not regions:
        return Segments(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int32))
    edges = np.unique(np.concatenate([ranges.ravel() for ranges in regions]))
    covers = []
    for code, ranges in enumerate(regions):
        first, last = np.searchsorted(edges, ranges[:, 0]), np.searchsorted(edges, ranges[:, 1])
        pieces = _spread(first, last - first)
        covers.append((pieces, np.full(len(pieces), code, np.int32)))
        if sum(len(pieces) for pieces, _ in covers) > MOST_COVERS:
            raise WatchlistError("the regions are too many and too fine; degrade the largest MOC")
    piece = np.concatenate([pieces for pieces, _ in covers])
    region_of = np.concatenate([codes for _, codes in covers])
    order = np.lexsort((region_of, piece))
    counts = np.bincount(piece, minlength=len(edges))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Segments(edges, starts, region_of[order])


def regions_at(
    segments: Segments, cells29: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The regions that hold each cell.

    Returns
    -------
    offsets, regions
        Regions of cell i are ``regions[offsets[i]:offsets[i + 1]]``; of an invalid cell none.
    """
    piece = np.searchsorted(segments.edges, cells29, side="right") - 1
    inside = piece >= 0
    counts = np.zeros(len(cells29), np.int64)
    held = piece[inside]
    first = segments.starts[held]
    counts[inside] = segments.starts[held + 1] - first
    offsets = np.zeros(len(cells29) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return offsets, segments.regions[_spread(first, counts[inside])]


def _spread(first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``first[i], first[i] + 1, ...``, ``counts[i]`` of them, for each i in turn."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shift: npt.NDArray[np.int64] = np.repeat(first - (ends - counts), counts)
    return shift + np.arange(total)
