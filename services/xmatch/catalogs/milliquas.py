"""Milliquas: the quasars and active galaxies of all papers, a million of them.

Release: version 8, 1,021,800 objects; ``milliquas.fits`` of its author, or CDS VII/294.
Reference: Flesch 2023, OJAp 6, 49, doi:10.21105/astro.2308.01505.
Radius: 2 arcsec. Positions are optical, most from Gaia, Pan-STARRS or SDSS; a few are those of
radio or X-ray sources, good to arcseconds.
Epoch: J2000; quasars do not move.
``source_class`` is its string of letters (``Q`` quasar, ``A`` active galaxy, ``B`` BL Lac, ``K``
and ``N`` narrow lines, then ``R`` radio, ``X`` X-ray). Redshifts of one digit are photometric;
the column does not say which.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, column

MEND = "tocsin catalogs import milliquas milliquas.fits"

MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("RA", "RAJ2000"),
    dec=column("DEC", "DEJ2000"),
    source_id=("NAME",),
    source_class=("TYPE",),
    columns={
        "redshift": column("Z", above=0.0),
        "magnitude": column("RMAG", above=0.0),
    },
)

MILLIQUAS = Catalog(
    name="milliquas",
    title="Milliquas, the Million Quasars Catalog",
    kind="agn",
    reference="Flesch 2023, OJAp 6, 49, doi:10.21105/astro.2308.01505",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="R",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
