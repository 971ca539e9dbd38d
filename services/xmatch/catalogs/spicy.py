"""SPICY: 117,446 candidates of young stars in the inner Galactic midplane.

Release: table 1 of the paper (CDS J/ApJS/254/33), or a Parquet file of its columns.
Reference: Kuhn et al. 2021, ApJS 254, 33, doi:10.3847/1538-4365/abe465.
Radius: 1.2 arcsec, as Fink uses: Spitzer's positions are good to 0.3 arcsec and the midplane is
crowded.
Epoch: J2000; the table has no proper motions.
``source_class`` is the evolutionary class (``ClassI``, ``FS``, ``ClassII``, ``ClassIII``,
``uncertain``). Young stars vary: the catalog counts as one of variables.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, column
from services.xmatch.catalogs.fields import Fields
from services.xmatch.designation import designations

MEND = "tocsin catalogs import spicy spicy.parquet"


def names(fields: Fields) -> pa.Array:
    """SPICY's running number where the file has it, else a designation of the position."""
    if fields.has("SPICY"):
        numbers = np.nan_to_num(fields.numbers("SPICY")).astype(np.int64)
        return pa.array([f"SPICY {number}" for number in numbers], pa.string())
    return designations(fields.numbers("RAdeg", "ra"), fields.numbers("DEdeg", "dec"))


MAP = ColumnMap(
    radius_arcsec=1.2,
    ra=column("RAdeg", "ra"),
    dec=column("DEdeg", "dec"),
    source_class=("class",),
    id_of=names,
    also=("SPICY",),
)

SPICY = Catalog(
    name="spicy",
    title="SPICY, young stellar objects of the inner Galaxy",
    kind="variables",
    reference="Kuhn et al. 2021, ApJS 254, 33, doi:10.3847/1538-4365/abe465",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
