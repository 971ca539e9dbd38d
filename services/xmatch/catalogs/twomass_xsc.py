"""2MASS Extended Source Catalog: 1.6 million galaxies with their near-infrared shapes.

Release: ``xsc`` of 2003, as IRSA serves it; a file with a line of names.
Reference: Jarrett et al. 2000, AJ 119, 2498, doi:10.1086/301330; Skrutskie et al. 2006, AJ 131,
1163, doi:10.1086/498708.
Radius: the semi-major axis of the isophote of 20 mag per square arcsecond in Ks (``r_k20fe``),
at least 3 arcsec. Optical discs reach about twice as far; the host search looks there.
Epoch: J2000; galaxies do not move.
``magnitude`` is Ks (Vega) within that isophote; the axes are those of the isophote, their ratio
and angle from the sum of J, H and Ks.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import AB_MINUS_VEGA, ColumnMap, column, minor_axis_of

MEND = "tocsin catalogs import twomass_xsc xsc.csv.gz"

MAP = ColumnMap(
    radius_arcsec=3.0,
    ra=column("ra"),
    dec=column("dec", "decl"),
    source_id=("designation",),
    columns={
        "magnitude": column("k_m_k20fe"),
        "major_axis_arcsec": column("r_k20fe", scale=2.0, above=0.0),
        "position_angle_deg": column("sup_phi", convert=lambda angle: angle % 180.0),
    },
    photometry={
        "j_mag": column("j_m_k20fe", offset=AB_MINUS_VEGA["j"]),
        "h_mag": column("h_m_k20fe", offset=AB_MINUS_VEGA["h"]),
        "ks_mag": column("k_m_k20fe", offset=AB_MINUS_VEGA["ks"]),
    },
    finish=minor_axis_of("sup_ba"),
    also=("sup_ba",),
)

TWOMASS_XSC = Catalog(
    name="twomass_xsc",
    title="2MASS Extended Source Catalog",
    kind="galaxies",
    reference="Jarrett et al. 2000, AJ 119, 2498, doi:10.1086/301330",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="Ks (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
