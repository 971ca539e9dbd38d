"""NED-LVS: galaxies with distances within 1,000 Mpc, as complete as the literature is.

Release: ``NEDLVS_YYYYMMDD.fits``, about 1.9 million objects; give its date as ``--release``.
Diameters (``Diam``) are in the releases from 2026-04-24 on.
Reference: Cook et al. 2023, ApJS 268, 14, doi:10.3847/1538-4365/acdd06.
Radius: half the diameter, at least 3 arcsec and at most three degrees; without diameters every
galaxy is a point, and transients off its nucleus are found by the host search only.
Epoch: J2000; galaxies do not move.
``Diam`` is taken to be the major diameter in arcseconds; look at a galaxy you know
(``tocsin catalogs show ned_lvs``) after importing a new release. A redshift that NED holds for
doubtful (``z_qual``) becomes null. ``distance_mpc`` is from a distance indicator where there is
one, else from the redshift.
"""

from __future__ import annotations

import numpy as np

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import (
    AB_MINUS_VEGA,
    ColumnMap,
    Numbers,
    column,
    minor_axis_of,
)
from services.xmatch.catalogs.fields import Fields

MEND = "tocsin catalogs import ned_lvs NEDLVS_20260424.fits --release 20260424"

_minor_axis = minor_axis_of("Diam_ba")


def finish(fields: Fields, numbers: dict[str, Numbers]) -> None:
    """Add the minor axis; forget doubtful redshifts."""
    _minor_axis(fields, numbers)
    if fields.has("z_qual") and "redshift" in numbers:
        words = fields.words("z_qual").to_pylist()
        doubtful = np.array([str(word).lower() in {"true", "1", "t"} for word in words], bool)
        numbers["redshift"] = np.where(doubtful, np.nan, numbers["redshift"])


MAP = ColumnMap(
    radius_arcsec=3.0,
    ra=column("ra"),
    dec=column("dec"),
    source_id=("objname",),
    source_class=("objtype",),
    columns={
        "redshift": column("z"),
        "redshift_err": column("z_unc", above=0.0),
        "distance_mpc": column("DistMpc", above=0.0),
        "magnitude": column("m_Ks"),
        "major_axis_arcsec": column("Diam", above=0.0),
        "position_angle_deg": column("Diam_pa", convert=lambda angle: angle % 180.0),
    },
    photometry={
        "ks_mag": column("m_Ks", offset=AB_MINUS_VEGA["ks"]),
        "ks_mag_err": column("m_Ks_unc", above=0.0),
        "w1_mag": column("m_W1", offset=AB_MINUS_VEGA["w1"]),
    },
    kinds=("z_tech", {"SPEC": "spec", "PHOT": "phot"}),
    most_reach_arcsec=10_800.0,
    finish=finish,
    also=("Diam_ba", "z_qual"),
)

NED_LVS = Catalog(
    name="ned_lvs",
    title="NED Local Volume Sample",
    kind="galaxies",
    reference="Cook et al. 2023, ApJS 268, 14, doi:10.3847/1538-4365/acdd06",
    licence="Free for research with citation of NED",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band="Ks (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
