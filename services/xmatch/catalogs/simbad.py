"""SIMBAD: what the literature has named, with its type, size, motion and redshift.

Release: CDS's table ``basic`` (columns of its TAP service) or the file of its X-Match service,
exported on a day of your choice; give that day as ``--release``.
Reference: Wenger et al. 2000, A&AS 143, 9, doi:10.1051/aas:2000332.
Radius: 2 arcsec, or the semi-major axis of what has one, at most half a degree. SIMBAD's
positions come from papers of a century, most of them now from Gaia and 2MASS; an arcsecond of
error is common.
Epoch: J2000; proper motions are applied where SIMBAD has them.
``source_class`` is the object type (``RRLyr``, ``QSO``, ``Galaxy``).
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, column

MEND = "tocsin catalogs import simbad simbad_basic.parquet --release 2026-11-01"

MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("ra"),
    dec=column("dec"),
    source_id=("main_id",),
    source_class=("otype_txt", "main_type", "otype"),
    columns={
        "redshift": column("rvz_redshift", "redshift"),
        "pm_ra_masyr": column("pmra"),
        "pm_dec_masyr": column("pmdec"),
        "major_axis_arcsec": column("galdim_majaxis", "size_maj", scale=60.0, above=0.0),
        "minor_axis_arcsec": column("galdim_minaxis", "size_min", scale=60.0, above=0.0),
        "position_angle_deg": column("galdim_angle", "size_angle", above=-1.0, below=361.0),
    },
    kinds=("rvz_nature", {"s": "spec", "p": "phot"}),
    most_reach_arcsec=1_800.0,
)

SIMBAD = Catalog(
    name="simbad",
    title="SIMBAD",
    kind="sources",
    reference="Wenger et al. 2000, A&AS 143, 9, doi:10.1051/aas:2000332",
    licence="ODbL 1.0 (CDS)",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
