"""GLADE+: 22 million galaxies and quasars for the hunt for gravitational-wave hosts.

Release: ``GLADE+.txt`` of 2022, 40 columns parted by blanks, without a line of names.
Reference: Dálya et al. 2022, MNRAS 514, 1403, doi:10.1093/mnras/stac1443.
Radius: 3 arcsec: a nucleus, of merged catalogs good to an arcsecond or two. It has no sizes;
transients off the nucleus are found by the host search.
Epoch: J2000; galaxies do not move.
``source_class`` is ``G`` (galaxy) or ``Q`` (quasar of SDSS DR16). The redshift is heliocentric;
its kind is spectroscopic or photometric by the distance flag (3, 1), unknown where the redshift
was made of a distance (2). ``magnitude`` is apparent B.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog, TextLayout
from services.xmatch.catalogs.columns import AB_MINUS_VEGA, ColumnMap, column

MEND = "tocsin catalogs import glade_plus GLADE+.txt"

TEXT = TextLayout(
    delimiter=" ",
    names=(
        "GLADE_no", "PGC_no", "GWGC_name", "HyperLEDA_name", "2MASS_name", "WISExSCOS_name",
        "SDSS_DR16Q_name", "object_type", "RA", "Dec", "B", "B_err", "B_flag", "B_abs", "J",
        "J_err", "H", "H_err", "K", "K_err", "W1", "W1_err", "W2", "W2_err", "W1_flag", "B_J",
        "B_J_err", "z_helio", "z_cmb", "z_flag", "v_err", "z_err", "d_L", "d_L_err", "dist_flag",
        "Mstar", "Mstar_err", "Mstar_flag", "merger_rate", "merger_rate_err",
    ),
)  # fmt: skip
"""The columns in the order of the paper's table 1."""

MAP = ColumnMap(
    radius_arcsec=3.0,
    ra=column("RA"),
    dec=column("Dec"),
    source_id=("GLADE_no",),
    id_prefix="GLADE+ ",
    source_class=("object_type",),
    columns={
        "redshift": column("z_helio"),
        "redshift_err": column("z_err", above=0.0),
        "distance_mpc": column("d_L", above=0.0),
        "magnitude": column("B"),
    },
    photometry={
        "j_mag": column("J", offset=AB_MINUS_VEGA["j"]),
        "j_mag_err": column("J_err"),
        "h_mag": column("H", offset=AB_MINUS_VEGA["h"]),
        "h_mag_err": column("H_err"),
        "ks_mag": column("K", offset=AB_MINUS_VEGA["ks"]),
        "ks_mag_err": column("K_err"),
        "w1_mag": column("W1", offset=AB_MINUS_VEGA["w1"]),
        "w1_mag_err": column("W1_err"),
        "w2_mag": column("W2", offset=AB_MINUS_VEGA["w2"]),
        "w2_mag_err": column("W2_err"),
    },
    kinds=("dist_flag", {"1": "phot", "3": "spec"}),
)

GLADE_PLUS = Catalog(
    name="glade_plus",
    title="GLADE+",
    kind="galaxies",
    reference="Dálya et al. 2022, MNRAS 514, 1403, doi:10.1093/mnras/stac1443",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="B (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
    text=TEXT,
)
