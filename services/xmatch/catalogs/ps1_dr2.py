"""Pan-STARRS1 DR2: stars and galaxies of three quarters of the sky in grizy, to 22 or 23 mag.

Release: ``MeanObjectView`` of DR2 (January 2019), as MAST's CasJobs exports it.
Reference: Chambers et al. 2016, arXiv:1612.05560; Flewelling et al. 2020, ApJS 251, 7,
doi:10.3847/1538-4365/abb82d.
Radius: 1.5 arcsec. Positions are good to 0.05 arcsec; the rest is the survey's own error and ten
years of proper motion, which the catalog does not give.
Epoch: J2013.0 (mean of the observations, 2009 to 2015).
``magnitude`` is the r of a point source, the photometry Kron's (AB), which holds galaxies too.
Missing numbers (-999) become null.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, column

MEND = "tocsin catalogs import ps1_dr2 ps1_mean_objects.parquet"

BANDS = "grizy"

MAP = ColumnMap(
    radius_arcsec=1.5,
    ra=column("raMean", above=-1.0),
    dec=column("decMean", above=-91.0),
    source_id=("objID",),
    columns={"magnitude": column("rMeanPSFMag", above=0.0)},
    photometry={
        **{f"{band}_mag": column(f"{band}MeanKronMag", above=0.0) for band in BANDS},
        **{f"{band}_mag_err": column(f"{band}MeanKronMagErr", above=0.0) for band in BANDS},
    },
)

PS1_DR2 = Catalog(
    name="ps1_dr2",
    title="Pan-STARRS1 Data Release 2",
    kind="sources",
    reference="Chambers et al. 2016, arXiv:1612.05560; Flewelling et al. 2020, ApJS 251, 7",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2013.0,
    magnitude_band="r (AB)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
