"""AAVSO International Variable Star Index: the largest living list of variable stars.

Release: the table in fink-science 7.4.0, 1,933,544 stars; VSX is revised daily and the file does
not say of which day it is.
Reference: Watson, Henden & Price 2006, Society for Astronomical Sciences Annual Symposium 25, 47;
CDS B/vsx.
Radius: 1.5 arcsec, as Fink uses. Most positions come from Gaia and the large surveys and are
good to 0.1 arcsec, old ones to about 1; wider brings chance neighbours in the crowded fields
where most of these stars are.
Epoch: J2000; the table has no proper motions, so a star that moves fast can be missed.
The table has no names: ``source_id`` is a designation made of the position. The type is VSX's
own (``EW``, ``RRAB``, ``CV:``), null for the 29 stars without one.
"""

from __future__ import annotations

import pyarrow as pa

from services.xmatch.catalogs.base import Catalog, CatalogRows, PackageFile
from services.xmatch.catalogs.fink_variables import INSTALL, variables

RADIUS_ARCSEC = 1.5
COLUMNS = ("RAJ2000", "DEJ2000", "VType")


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``vsx.parquet``."""
    return variables(table, COLUMNS, RADIUS_ARCSEC)


VSX = Catalog(
    name="vsx",
    title="AAVSO International Variable Star Index",
    kind="variables",
    reference="Watson, Henden & Price 2006, SASS 25, 47; CDS B/vsx",
    licence="Free for research with credit to the AAVSO; the file is part of fink-science "
    "(Apache-2.0)",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band=None,
    package=PackageFile("fink-science", ("fink_science/data/catalogs/vsx.parquet",), INSTALL),
    mend=INSTALL,
    rows=rows,
    columns=COLUMNS,
)
