"""DESI DR1: 18 million good spectroscopic redshifts of galaxies, quasars and stars.

Release: ``zall-pix-iron.fits`` of March 2025, 28 million spectra of which those with a warning
(``ZWARN``) and second ones of the same target (``ZCAT_PRIMARY`` false) are left out.
Reference: DESI Collaboration 2025, arXiv:2503.14745.
Radius: 1.5 arcsec: a fibre on a nucleus. Transients off it are found by the host search.
Epoch: J2015.5, about that of the imaging the targets were chosen from.
``source_class`` is the spectral type (``GALAXY``, ``QSO``, ``STAR``); the redshift of a star
(its radial velocity) becomes null. The photometry is the Legacy Surveys' (AB).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import ColumnMap, Numbers, ab_of_nanomaggies, column
from services.xmatch.catalogs.fields import Fields

MEND = "tocsin catalogs import desi_dr1 zall-pix-iron.fits"


def unwanted(fields: Fields) -> dict[str, npt.NDArray[np.bool_]]:
    """Spectra with a warning, and second ones of a target."""
    masks = {"ZWARN is not 0": fields.numbers("ZWARN") != 0.0}
    if fields.has("ZCAT_PRIMARY"):
        words = fields.words("ZCAT_PRIMARY").to_pylist()
        primary = [str(word).lower() in {"true", "1", "t"} for word in words]
        masks["ZCAT_PRIMARY is false"] = ~np.array(primary, dtype=bool)
    return masks


def finish(fields: Fields, numbers: dict[str, Numbers]) -> None:
    """Forget the redshifts of stars."""
    star = np.array([word == "STAR" for word in fields.words("SPECTYPE").to_pylist()], bool)
    for name in ("redshift", "redshift_err"):
        if name in numbers:
            numbers[name] = np.where(star, np.nan, numbers[name])


MAP = ColumnMap(
    radius_arcsec=1.5,
    ra=column("TARGET_RA", "MEAN_FIBER_RA"),
    dec=column("TARGET_DEC", "MEAN_FIBER_DEC"),
    source_id=("TARGETID",),
    source_class=("SPECTYPE",),
    columns={"redshift": column("Z"), "redshift_err": column("ZERR", above=0.0)},
    photometry={
        f"{band.lower()}_mag": column(f"FLUX_{band}", convert=ab_of_nanomaggies)
        for band in ("G", "R", "Z", "W1", "W2")
    },
    leave_out=unwanted,
    finish=finish,
    also=("ZWARN", "ZCAT_PRIMARY"),
)

DESI_DR1 = Catalog(
    name="desi_dr1",
    title="DESI Data Release 1, redshifts",
    kind="galaxies",
    reference="DESI Collaboration 2025, arXiv:2503.14745",
    licence="CC BY 4.0 (DESI)",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2015.5,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    has_hosts=True,
    redshift_kind="spec",
)
