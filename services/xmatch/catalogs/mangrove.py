"""Mangrove: nearby galaxies with stellar masses, for finding hosts of gravitational waves.

Release: the table in fink-science 7.4.0, 295,341 galaxies within 230 Mpc, without the masses.
Reference: Ducoin et al. 2020, MNRAS 492, 4768, doi:10.1093/mnras/staa114 (GLADE and AllWISE).
Radius: 5 arcsec, which is a nucleus; the table has no sizes, so a transient in a galaxy's disc
is found by the host search, which looks farther (kiloparsecs at the galaxy's distance).
Epoch: J2000; galaxies do not move.
The redshift is not in the table; ``distance_mpc`` is its luminosity distance. ``source_id`` is
the HyperLEDA name, else the 2MASS name, else a designation made of the position: half of the
rows have no name at all. Its nearest rows are stars that GLADE took for galaxies: below 0.1 Mpc
they are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import Catalog, CatalogRows, PackageFile
from services.xmatch.catalogs.fields import Fields
from services.xmatch.catalogs.fink_variables import INSTALL
from services.xmatch.designation import designations

RADIUS_ARCSEC = 5.0
NEAREST_MPC = 0.1
COLUMNS = ("HyperLEDA_name", "2MASS_name", "ra", "dec", "lum_dist")


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``mangrove_filtered.parquet``."""
    distance_mpc: npt.NDArray[np.float64] = Fields(table).numbers("lum_dist")
    near = distance_mpc < NEAREST_MPC
    fields = Fields(table.filter(pa.array(~near)))
    ra_deg, dec_deg = fields.numbers("ra"), fields.numbers("dec")
    hyperleda, two_mass = (fields.words(column) for column in COLUMNS[:2])
    # HyperLEDA's names here are bare numbers of the Principal Galaxies Catalogue.
    numbered = pc.binary_join_element_wise("PGC ", hyperleda, "")
    hyperleda = pc.if_else(pc.match_substring_regex(hyperleda, r"^\d+$"), numbered, hyperleda)
    return CatalogRows(
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        reach_arcsec=RADIUS_ARCSEC,
        source_id=pc.coalesce(hyperleda, two_mass, designations(ra_deg, dec_deg)),
        source_class=pa.array(["galaxy"]).take(pa.array(np.zeros(len(ra_deg), np.int64))),
        distance_mpc=distance_mpc[~near],
        left_out={"nearer than 0.1 Mpc": int(near.sum())} if near.any() else {},
        file_row=np.flatnonzero(~near),
    )


MANGROVE = Catalog(
    name="mangrove",
    title="Mangrove, galaxies within 230 Mpc",
    kind="galaxies",
    reference="Ducoin et al. 2020, MNRAS 492, 4768, doi:10.1093/mnras/staa114",
    licence="Free for research with citation; the file is part of fink-science (Apache-2.0)",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band=None,
    package=PackageFile(
        "fink-science", ("fink_science/data/catalogs/mangrove_filtered.parquet",), INSTALL
    ),
    mend=INSTALL,
    rows=rows,
    columns=COLUMNS,
    has_hosts=True,
    made_of={
        "ra_deg": "`ra`",
        "dec_deg": "`dec`",
        "source_id": "`HyperLEDA_name`, else `2MASS_name`, else the position",
        "distance_mpc": "`lum_dist`",
    },
)
