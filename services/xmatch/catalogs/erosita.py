"""eRASS1: the X-ray sources of eROSITA's first scan of the western Galactic hemisphere.

Release: ``eRASS1_Main.v1.1.fits``, 930,203 sources (0.2 to 2.3 keV).
Reference: Merloni et al. 2024, A&A 682, A34, doi:10.1051/0004-6361/202347165.
Radius: 2.45 times the error of the position (``POS_ERR``, one standard deviation along each
axis), the circle that holds the source with 95 % probability; at least 2 arcsec.
Epoch: J2020.1, the middle of the scan.
``source_class`` is ``extended`` where the extent is above 0, ``point`` else.
"""

from __future__ import annotations

import numpy as np

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, Numbers, column
from services.xmatch.catalogs.fields import Fields

MEND = "tocsin catalogs import erosita eRASS1_Main.v1.1.fits"

SIGMAS_95 = 2.4477
"""Radius that holds 95 % of a round normal distribution in two dimensions, in sigmas."""


def finish(fields: Fields, numbers: dict[str, Numbers]) -> None:
    """The error circle as an ellipse."""
    numbers["error_minor_arcsec"] = numbers["error_major_arcsec"]
    numbers["error_angle_deg"] = np.zeros(len(fields))


MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("RA"),
    dec=column("DEC"),
    source_id=("IAUNAME",),
    columns={"error_major_arcsec": column("POS_ERR", scale=SIGMAS_95, above=0.0)},
    most_reach_arcsec=120.0,
    finish=finish,
)

EROSITA = Catalog(
    name="erosita",
    title="eRASS1, X-ray sources of eROSITA",
    kind="high_energy",
    reference="Merloni et al. 2024, A&A 682, A34, doi:10.1051/0004-6361/202347165",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2020.1,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
