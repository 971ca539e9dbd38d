"""From a catalog's standard columns to what the search knows: reach, motion, ellipse."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.xmatch.catalogs.base import Catalog, CatalogRows
from shared.sky.catalog_layers import Ellipse, SkyRows
from shared.sky.proper_motion import FASTEST_ARCSEC_YR, ProperMotion


def sky_rows(catalog: Catalog, rows: CatalogRows, kept: npt.NDArray[np.int64]) -> SkyRows:
    """What the search must know of some rows, all of them on the sphere.

    A row with an error ellipse matches inside it, and within the catalog's radius, too, as far
    as the ellipse is narrower than that.

    Parameters
    ----------
    catalog, rows
        The catalog, and its rows as its file has them.
    kept
        The rows to take, by number.
    """
    reach = rows.reach_arcsec
    own_reach = reach[kept] if isinstance(reach, np.ndarray) else reach
    return SkyRows(
        rows.ra_deg[kept],
        rows.dec_deg[kept],
        own_reach,
        _motion(catalog, rows, kept),
        _ellipse(catalog, rows, own_reach, kept),
    )


def _motion(
    catalog: Catalog, rows: CatalogRows, kept: npt.NDArray[np.int64]
) -> ProperMotion | None:
    """Proper motions; one faster than any star's is an error of the catalog and left out."""
    if rows.pm_ra_masyr is None or rows.pm_dec_masyr is None:
        return None
    pm_ra = np.asarray(rows.pm_ra_masyr[kept], dtype=np.float64)
    pm_dec = np.asarray(rows.pm_dec_masyr[kept], dtype=np.float64)
    wrong = np.hypot(pm_ra, pm_dec) > 1_000.0 * FASTEST_ARCSEC_YR
    epoch = rows.epoch_year
    return ProperMotion(
        np.where(wrong, np.nan, pm_ra),
        np.where(wrong, np.nan, pm_dec),
        catalog.epoch_year,
        None if epoch is None else np.asarray(epoch[kept], dtype=np.float64),
    )


def _ellipse(
    catalog: Catalog,
    rows: CatalogRows,
    reach_arcsec: float | npt.NDArray[np.float64],
    kept: npt.NDArray[np.int64],
) -> Ellipse | None:
    if rows.error_minor_arcsec is None or rows.error_angle_deg is None:
        return None
    minor = np.asarray(rows.error_minor_arcsec[kept], dtype=np.float64)
    across = np.where(np.isnan(minor), np.nan, np.maximum(minor, catalog.radius_arcsec))
    return Ellipse(across / reach_arcsec, np.asarray(rows.error_angle_deg[kept], np.float64))
