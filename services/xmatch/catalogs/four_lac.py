"""4LAC-DR3: active galaxies behind Fermi-LAT's gamma-ray sources, at their counterparts.

Release: ``table-4LAC-DR3-h.fits`` (3,407, |b| > 10 deg) and ``-l.fits`` (407, low latitude) in
fink-science 7.4.0.
Reference: Ajello et al. 2022, ApJS 263, 24, doi:10.3847/1538-4365/ac9523.
Radius: 3 arcsec. The position is the radio or optical counterpart's, milliarcseconds to an
arcsecond; the gamma-ray position, good to arcminutes, is in 4FGL. (Fink takes 60 arcsec around
the counterpart, which finds unrelated neighbours.)
Epoch: J2000; quasars do not move.
``source_class`` is Fermi's class of the source (``bll``, ``fsrq``, ``bcu``, capitals where the
identification is firm).
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog, PackageFile
from services.xmatch.catalogs.columns import ColumnMap, column
from services.xmatch.catalogs.fink_variables import INSTALL

MAP = ColumnMap(
    radius_arcsec=3.0,
    ra=column("RA_Counterpart"),
    dec=column("DEC_Counterpart"),
    source_id=("Source_Name",),
    source_class=("CLASS",),
    columns={"redshift": column("Redshift", above=0.0)},
)

FOUR_LAC = Catalog(
    name="four_lac",
    title="4LAC-DR3, active galaxies detected by Fermi-LAT",
    kind="agn",
    reference="Ajello et al. 2022, ApJS 263, 24, doi:10.3847/1538-4365/ac9523",
    licence="Free for research with citation; the file is part of fink-science (Apache-2.0)",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band=None,
    package=PackageFile(
        "fink-science",
        (
            "fink_science/data/catalogs/table-4LAC-DR3-h.fits",
            "fink_science/data/catalogs/table-4LAC-DR3-l.fits",
        ),
        INSTALL,
    ),
    mend=INSTALL,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    redshift_kind="spec",
)
