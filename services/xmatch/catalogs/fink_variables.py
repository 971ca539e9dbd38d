"""The variable-star tables that come in the wheel of fink-science: a position, a type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import CatalogRows, CatalogUnavailableError
from services.xmatch.designation import designations

INSTALL = "pip install --no-deps fink-science==7.4.0"
"""Without its dependencies: only its data files are used, nothing of it is imported."""


def variables(table: pa.Table, columns: tuple[str, str, str], radius_arcsec: float) -> CatalogRows:
    """Rows of a table of variable stars.

    Parameters
    ----------
    table
        The file's columns.
    columns
        Those of right ascension (degrees, J2000), declination and type. A blank type becomes
        null.
    radius_arcsec
        Match radius of every row.

    Raises
    ------
    CatalogUnavailableError
        If a column is missing.
    """
    try:
        ra, dec, kind = (table.column(name).combine_chunks() for name in columns)
    except KeyError as error:
        raise CatalogUnavailableError(f"{error}; run: {INSTALL}") from error
    ra_deg = np.array(ra.to_numpy(zero_copy_only=False), dtype=np.float64)
    dec_deg = np.array(dec.to_numpy(zero_copy_only=False), dtype=np.float64)
    kind = pc.utf8_trim_whitespace(kind.cast(pa.string()))
    return CatalogRows(
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        reach_arcsec=radius_arcsec,
        source_id=designations(ra_deg, dec_deg),
        source_class=pc.if_else(pc.equal(kind, ""), pa.scalar(None, pa.string()), kind),
    )
