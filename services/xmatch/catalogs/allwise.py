"""AllWISE: the mid-infrared sky, 748 million sources; its colours tell active galaxies.

Release: the source catalog of 2013, as IRSA serves it, or CDS II/328.
Reference: Cutri et al. 2013, VizieR II/328; Wright et al. 2010, AJ 140, 1868,
doi:10.1088/0004-6256/140/6/1868.
Radius: 2 arcsec. The beam is 6 arcsec wide, positions of faint sources are good to half an
arcsecond.
Epoch: J2010.56. Its apparent motions hold parallax and noise and are not applied.
``magnitude`` is W1 (Vega); the photometry is turned into AB.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import AB_MINUS_VEGA, ColumnMap, column

MEND = "tocsin catalogs import allwise wise-allwise-cat-part*.gz"

MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("ra", "RAJ2000"),
    dec=column("dec", "DEJ2000"),
    source_id=("designation", "AllWISE"),
    columns={"magnitude": column("w1mpro", "W1mag")},
    photometry={
        "w1_mag": column("w1mpro", "W1mag", offset=AB_MINUS_VEGA["w1"]),
        "w1_mag_err": column("w1sigmpro", "e_W1mag"),
        "w2_mag": column("w2mpro", "W2mag", offset=AB_MINUS_VEGA["w2"]),
        "w2_mag_err": column("w2sigmpro", "e_W2mag"),
        "w3_mag": column("w3mpro", "W3mag", offset=AB_MINUS_VEGA["w3"]),
        "w3_mag_err": column("w3sigmpro", "e_W3mag"),
    },
)

ALLWISE = Catalog(
    name="allwise",
    title="AllWISE Source Catalog",
    kind="sources",
    reference="Cutri et al. 2013, VizieR II/328; Wright et al. 2010, AJ 140, 1868",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2010.56,
    magnitude_band="W1 (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
