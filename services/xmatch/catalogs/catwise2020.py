"""CatWISE2020: the mid-infrared sky, deeper than AllWISE: 1.9 billion sources.

Release: the catalog of 2020 (``source_name``, ``ra_pm``, ...), as IRSA serves it.
Reference: Marocco et al. 2021, ApJS 253, 8, doi:10.3847/1538-4365/abd805.
Radius: 2 arcsec. The beam is 6 arcsec wide, positions of faint sources are good to half an
arcsecond.
Epoch: J2015.4 (MJD 57170), for which ``ra_pm`` and ``dec_pm`` are given. Its proper motions have
errors of 10 mas/yr and more at W1 = 15 and are not applied.
``magnitude`` is W1 (Vega); the photometry is turned into AB.
"""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.columns import AB_MINUS_VEGA, ColumnMap, column

MEND = "tocsin catalogs import catwise2020 catwise_2020_*.parquet"

MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("ra_pm", "ra"),
    dec=column("dec_pm", "dec"),
    source_id=("source_name",),
    columns={"magnitude": column("w1mpro_pm", "w1mpro")},
    photometry={
        "w1_mag": column("w1mpro_pm", "w1mpro", offset=AB_MINUS_VEGA["w1"]),
        "w1_mag_err": column("w1sigmpro_pm", "w1sigmpro"),
        "w2_mag": column("w2mpro_pm", "w2mpro", offset=AB_MINUS_VEGA["w2"]),
        "w2_mag_err": column("w2sigmpro_pm", "w2sigmpro"),
    },
)

CATWISE2020 = Catalog(
    name="catwise2020",
    title="CatWISE2020 Catalog",
    kind="sources",
    reference="Marocco et al. 2021, ApJS 253, 8, doi:10.3847/1538-4365/abd805",
    licence="Free for research with citation",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2015.4,
    magnitude_band="W1 (Vega)",
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
)
