"""Legacy Surveys DR10: galaxies of half the sky with photometric redshifts and shapes.

Release: ``ls_dr10.tractor`` joined with ``ls_dr10.photo_z`` on ``ls_id`` (columns of NOIRLab's
Astro Data Lab), or a sweep file beside its ``-pz`` file joined row by row. Duplicates of Gaia
stars (``DUP``) and point sources (``PSF``, most of them stars) are left out.
Reference: Dey et al. 2019, AJ 157, 168, doi:10.3847/1538-3881/ab089d; photometric redshifts:
Zhou et al. 2021, MNRAS 501, 3309, doi:10.1093/mnras/staa3764.
Radius: twice the half-light radius, at least 1.5 arcsec and at most a minute. For an exponential
disc that is about where its isophote of 25 mag lies; the axes given are twice that.
Epoch: J2015.5 and later; galaxies do not move.
The redshift is ``z_spec`` where there is one, else the median of the photometric PDF with its
standard deviation. ``magnitude`` is r (AB). Missing numbers (-99) become null.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.xmatch.catalogs.base import REDSHIFT_KINDS, Catalog
from services.xmatch.catalogs.columns import ColumnMap, Numbers, ab_of_nanomaggies, column
from services.xmatch.catalogs.fields import Fields

MEND = "tocsin catalogs import legacy_dr10 ls_dr10_photo_z_*.parquet"

HALF_LIGHT_RADII_ACROSS = 4.0
"""The full major axis in half-light radii: twice the radius, on both sides."""


def unwanted(fields: Fields) -> dict[str, npt.NDArray[np.bool_]]:
    """What is not a galaxy."""
    kind = np.array(fields.words("type").to_pylist(), dtype=object)
    return {"DUP": kind == "DUP", "PSF": kind == "PSF"}


def finish(fields: Fields, numbers: dict[str, Numbers]) -> None:
    """Axes of the ellipticity's components; the spectroscopic redshift where there is one."""
    if fields.has("shape_e1") and fields.has("shape_e2"):
        e1, e2 = fields.numbers("shape_e1"), fields.numbers("shape_e2")
        ellipticity = np.hypot(e1, e2)
        ratio = (1.0 - ellipticity) / (1.0 + ellipticity)
        numbers["minor_axis_arcsec"] = numbers["major_axis_arcsec"] * ratio
        numbers["position_angle_deg"] = np.degrees(0.5 * np.arctan2(e2, e1)) % 180.0
    kind = np.where(np.isfinite(numbers["redshift"]), REDSHIFT_KINDS.index("phot"), 0)
    if fields.has("z_spec"):
        z_spec = fields.numbers("z_spec")
        measured = z_spec > -1.0
        numbers["redshift"] = np.where(measured, z_spec, numbers["redshift"])
        numbers["redshift_err"] = np.where(measured, np.nan, numbers["redshift_err"])
        kind = np.where(measured, REDSHIFT_KINDS.index("spec"), kind)
    numbers["redshift_kind"] = kind.astype(np.float64)


MAP = ColumnMap(
    radius_arcsec=1.5,
    ra=column("ra"),
    dec=column("dec"),
    source_id=("ls_id",),
    source_class=("type",),
    columns={
        "redshift": column("z_phot_median", above=-1.0),
        "redshift_err": column("z_phot_std", above=0.0),
        "magnitude": column("flux_r", convert=ab_of_nanomaggies),
        "major_axis_arcsec": column("shape_r", scale=HALF_LIGHT_RADII_ACROSS, above=0.0),
    },
    photometry={
        f"{band}_mag": column(f"flux_{band}", convert=ab_of_nanomaggies)
        for band in ("g", "r", "i", "z", "w1", "w2")
    },
    most_reach_arcsec=60.0,
    leave_out=unwanted,
    finish=finish,
    also=("shape_e1", "shape_e2", "z_spec"),
)

LEGACY_DR10 = Catalog(
    name="legacy_dr10",
    title="DESI Legacy Imaging Surveys DR10, photometric redshifts",
    kind="galaxies",
    reference="Dey et al. 2019, AJ 157, 168; Zhou et al. 2021, MNRAS 501, 3309",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2015.5,
    magnitude_band="r (AB)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
)
