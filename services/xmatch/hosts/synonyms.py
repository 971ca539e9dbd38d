"""Which entries of several catalogs are the same galaxy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shared.sky.cone_search import Queries, cone_search
from shared.sky.sorted_catalog import sort_catalog

LEAST_ARCSEC, MOST_ARCSEC = 3.0, 30.0
PART_OF_SEMI_MAJOR = 0.1
"""Catalogs agree on a galaxy's centre to a tenth of its semi-major axis, within these bounds."""
REDSHIFTS_DIFFER = 0.01
"""Entries whose redshifts differ by more than this are two galaxies in line."""

Numbers = npt.NDArray[np.float64]


def leaders_of(
    ra_deg: Numbers,
    dec_deg: Numbers,
    catalog: npt.NDArray[Any],
    semi_major_arcsec: Numbers,
    redshift: Numbers,
    preference: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """For each entry the entry that stands for its galaxy, shape (n,); its own index if alone.

    Parameters
    ----------
    ra_deg, dec_deg
        ICRS, degrees, shape (n,).
    catalog
        Number of the catalog of each entry; two entries of one catalog are two galaxies.
    semi_major_arcsec, redshift
        NaN where not known.
    preference
        Lower stands for higher; equal ones stand in order.
    """
    n = len(ra_deg)
    tolerance = np.nan_to_num(PART_OF_SEMI_MAJOR * semi_major_arcsec, nan=0.0)
    reach = np.clip(tolerance, LEAST_ARCSEC, MOST_ARCSEC)
    positions, order = sort_catalog(ra_deg, dec_deg, reach)
    found = cone_search(positions, Queries.at(ra_deg, dec_deg))
    one, other = found.query, order[found.row]
    linked = catalog[one] != catalog[other]
    apart = np.abs(redshift[one] - redshift[other])
    linked &= ~(apart > REDSHIFTS_DIFFER)
    one, other = one[linked], other[linked]
    rank = np.empty(n, np.int64)
    rank[np.lexsort((np.arange(n), catalog, preference))] = np.arange(n)
    best = rank.copy()
    # The nearest counterpart is not enough: three catalogs make chains, of two links at most.
    for _ in range(3):
        np.minimum.at(best, one, best[other])
        np.minimum.at(best, other, best[one])
    by_rank = np.empty(n, np.int64)
    by_rank[rank] = np.arange(n)
    leader = by_rank[best]
    leader = leader[leader]
    # One that stands for others must stand for itself.
    return np.where(leader[leader] == leader, leader, np.arange(n))
