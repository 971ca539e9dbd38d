"""Gaia DR3: 1.8 billion stars with proper motions, and the quasars among them.

Release: ``gaia_source``, 1,811,709,771 rows, as ESA's archive serves it (``.csv.gz``) or as
Parquet or HATS with the same column names.
Reference: Gaia Collaboration 2023, A&A 674, A1, doi:10.1051/0004-6361/202243940.
Radius: 1 arcsec. Gaia is good to a milliarcsecond and its proper motions are applied; what is
left is the survey's own astrometry (0.1 to 0.3 arcsec) and parallax (below 0.8 arcsec for all).
Epoch: J2016.0; proper motions are applied to the alert's epoch.
``magnitude`` is G in Gaia's Vega system, ``source_id`` Gaia's number.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, column

MEND = "tocsin catalogs import gaia_dr3 GaiaSource_*.csv.gz"

MAP = ColumnMap(
    radius_arcsec=1.0,
    ra=column("ra"),
    dec=column("dec"),
    source_id=("source_id",),
    columns={
        "magnitude": column("phot_g_mean_mag"),
        "pm_ra_masyr": column("pmra"),
        "pm_dec_masyr": column("pmdec"),
        "epoch_year": column("ref_epoch"),
    },
    photometry={"bp_mag": column("phot_bp_mean_mag"), "rp_mag": column("phot_rp_mean_mag")},
)

GAIA_DR3 = Catalog(
    name="gaia_dr3",
    title="Gaia Data Release 3",
    kind="stars",
    reference="Gaia Collaboration 2023, A&A 674, A1, doi:10.1051/0004-6361/202243940",
    licence="CC BY-SA 3.0 IGO (ESA/Gaia/DPAC)",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2016.0,
    magnitude_band="G (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
