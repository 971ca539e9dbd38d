"""Reads VOTables, as far as they are small enough to be read whole."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy.io.votable import parse_single_table

from services.xmatch.catalogs.base import CatalogUnavailableError

MOST_BYTES = 1 << 29
"""VOTables are read whole, in some ten times their size of memory; larger ones are refused."""

_ENTITY = re.compile(rb"<!(ENTITY|DOCTYPE)", re.IGNORECASE)


def read_votable(path: Path, batch_rows: int) -> Iterator[pa.Table]:
    """Tables of at most ``batch_rows`` rows of the file's first table.

    Raises
    ------
    CatalogUnavailableError
        If it is larger than 512 MB, declares entities, or is not a good VOTable.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise CatalogUnavailableError(
            f"a VOTable of {size / 1e9:.1f} GB is too large to be read whole; get the table as "
            "FITS, Parquet or CSV"
        )
    if _ENTITY.search(path.read_bytes()):
        raise CatalogUnavailableError("a VOTable that declares entities or a DOCTYPE is refused")
    try:
        with warnings.catch_warnings():
            # astropy warns of every departure from the standard; services have many.
            warnings.simplefilter("ignore")
            table = parse_single_table(path, verify="ignore").to_table(use_names_over_ids=True)
    except (ValueError, IndexError, TypeError, OSError) as error:
        raise CatalogUnavailableError(f"it is not a good VOTable: {error}") from error
    columns = {}
    for name in table.colnames:
        values = table[name]
        if values.ndim != 1:
            continue
        mask = np.asarray(getattr(values, "mask", np.zeros(len(values), bool)))
        plain = np.asarray(values.filled() if hasattr(values, "filled") else values)
        if plain.dtype.kind in "OSU":
            words = [
                None if hidden else str(value) for value, hidden in zip(plain, mask, strict=True)
            ]
            columns[name] = pa.array(words, pa.string())
        else:
            columns[name] = pa.array(plain, mask=mask)
    whole = pa.table(columns)
    for first in range(0, max(1, whole.num_rows), batch_rows):
        yield whole.slice(first, batch_rows)
