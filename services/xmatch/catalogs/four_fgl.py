"""4FGL-DR4: the gamma-ray sources of Fermi-LAT's first fourteen years.

Release: ``gll_psc_v35.fit``, 7,195 sources; or a table of its columns.
Reference: Ballet et al. 2023, arXiv:2307.12546; Abdollahi et al. 2022, ApJS 260, 53,
doi:10.3847/1538-4365/ac6751.
Radius: the ellipse that holds the source with 95 % confidence, arcminutes in size; a minute for
the sources that have none (extended ones, and pulsars placed by their timing).
Epoch: J2000.
``source_class`` is the class of the most likely counterpart (``bll``, ``psr``, ``bcu``), null
for the third of all sources that has none.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ARCSEC_PER_DEG, ColumnMap, column

MEND = "tocsin catalogs import four_fgl gll_psc_v35.fit"

MAP = ColumnMap(
    radius_arcsec=60.0,
    ra=column("RAJ2000"),
    dec=column("DEJ2000"),
    source_id=("Source_Name",),
    source_class=("CLASS1",),
    columns={
        "error_major_arcsec": column("Conf_95_SemiMajor", scale=ARCSEC_PER_DEG, above=0.0),
        "error_minor_arcsec": column("Conf_95_SemiMinor", scale=ARCSEC_PER_DEG, above=0.0),
        "error_angle_deg": column("Conf_95_PosAng", convert=lambda angle: angle % 180.0),
    },
)

FOUR_FGL = Catalog(
    name="four_fgl",
    title="4FGL-DR4, gamma-ray sources of Fermi-LAT",
    kind="high_energy",
    reference="Ballet et al. 2023, arXiv:2307.12546; Abdollahi et al. 2022, ApJS 260, 53",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
