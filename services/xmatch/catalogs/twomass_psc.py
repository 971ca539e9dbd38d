"""2MASS Point Source Catalog: the near-infrared sky, 471 million stars and compact galaxies.

Release: ``psc`` of 2003, as IRSA serves it, or CDS II/246; a file with a line of names.
Reference: Skrutskie et al. 2006, AJ 131, 1163, doi:10.1086/498708.
Radius: 2 arcsec. Positions are good to 0.1 arcsec, but they are a quarter of a century old and
the catalog has no proper motions: a star of 80 mas/yr is 2 arcsec away by now.
Epoch: J2000 (observed 1997 to 2001).
``magnitude`` is J (Vega); the photometry is turned into AB.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import AB_MINUS_VEGA, ColumnMap, column

MEND = "tocsin catalogs import twomass_psc psc.csv.gz"

MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("ra", "RAJ2000"),
    dec=column("dec", "decl", "DEJ2000"),
    source_id=("designation", "2MASS"),
    columns={"magnitude": column("j_m", "Jmag")},
    photometry={
        "j_mag": column("j_m", "Jmag", offset=AB_MINUS_VEGA["j"]),
        "j_mag_err": column("j_msigcom", "e_Jmag"),
        "h_mag": column("h_m", "Hmag", offset=AB_MINUS_VEGA["h"]),
        "h_mag_err": column("h_msigcom", "e_Hmag"),
        "ks_mag": column("k_m", "Kmag", offset=AB_MINUS_VEGA["ks"]),
        "ks_mag_err": column("k_msigcom", "e_Kmag"),
    },
)

TWOMASS_PSC = Catalog(
    name="twomass_psc",
    title="2MASS Point Source Catalog",
    kind="sources",
    reference="Skrutskie et al. 2006, AJ 131, 1163, doi:10.1086/498708",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="J (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
