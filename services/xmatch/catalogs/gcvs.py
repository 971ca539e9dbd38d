"""General Catalogue of Variable Stars, version 5.1: the classic types, checked by people.

Release: the table in fink-science 7.4.0, made from ``gcvs5.txt``: 59,099 stars with positions.
Reference: Samus' et al. 2017, Astronomy Reports 61, 80, doi:10.1134/S1063772917010085.
Radius: 1.5 arcsec, as Fink uses. A survey's astrometry is good to 0.1 arcsec and most positions
here to better than 1; wider brings chance neighbours in crowded fields before it brings stars.
Epoch: J2000; the table has no proper motions, so a star that moves fast can be missed.
The table has no names: ``source_id`` is a designation made of the position. The type is GCVS's
own (``RRAB``, ``EA/SD``, ``UGSS+E:``), null for the 393 stars without one.
"""

from __future__ import annotations

import pyarrow as pa

from services.xmatch.catalogs.base import Catalog, CatalogRows, PackageFile
from services.xmatch.catalogs.fink_variables import INSTALL, variables

RADIUS_ARCSEC = 1.5
COLUMNS = ("ra", "dec", "VarType")


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``gcvs.parquet``."""
    return variables(table, COLUMNS, RADIUS_ARCSEC)


GCVS = Catalog(
    name="gcvs",
    title="General Catalogue of Variable Stars 5.1",
    kind="variables",
    reference="Samus' et al. 2017, ARep 61, 80, doi:10.1134/S1063772917010085",
    licence="Free for research with citation; the file is part of fink-science (Apache-2.0)",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band=None,
    package=PackageFile("fink-science", ("fink_science/data/catalogs/gcvs.parquet",), INSTALL),
    mend=INSTALL,
    rows=rows,
    columns=COLUMNS,
)
