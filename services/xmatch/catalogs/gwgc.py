"""GWGC: galaxies within 100 Mpc with their sizes, made for gravitational-wave follow-up.

Release: CDS VII/267 (53,225 galaxies); or the 47,177 of them with sizes as ``gwgc_good.csv``.
Reference: White, Daw & Dhillon 2011, CQG 28, 085016, doi:10.1088/0264-9381/28/8/085016.
Radius: the semi-major axis of the isophote of 25 mag in B, at least 5 arcsec and at most three
degrees. A circle: what lies beyond the minor axis matches too; the light radius in its direction
is for the host search to weigh.
Epoch: J2000; galaxies do not move.
Axes are full, in the file in arcminutes; ``distance_mpc`` is from the literature's best method.
The catalog has no redshifts.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ARCSEC_PER_ARCMIN, ColumnMap, column

MEND = "tocsin catalogs import gwgc gwgc_good.csv.gz"

MAP = ColumnMap(
    radius_arcsec=5.0,
    ra=column("RAJ2000"),
    dec=column("DEJ2000"),
    source_id=("NED_name", "Name"),
    source_class=("TT",),
    columns={
        "magnitude": column("Bmag", "B_mag"),
        "distance_mpc": column("Dist", above=0.0),
        "major_axis_arcsec": column("maj", scale=ARCSEC_PER_ARCMIN, above=0.0),
        "minor_axis_arcsec": column("min", scale=ARCSEC_PER_ARCMIN, above=0.0),
        "position_angle_deg": column("PAHyp", "PA", convert=lambda angle: angle % 180.0),
    },
    most_reach_arcsec=10_800.0,
)

GWGC = Catalog(
    name="gwgc",
    title="Gravitational Wave Galaxy Catalogue",
    kind="galaxies",
    reference="White, Daw & Dhillon 2011, CQG 28, 085016, doi:10.1088/0264-9381/28/8/085016",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="B (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
