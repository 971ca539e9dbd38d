"""TNS: every transient reported to the Transient Name Server, with its class once it has one.

Release: ``tns_public_objects.csv.zip``, made anew every day; give its day as ``--release``.
Reference: Gal-Yam 2021, BAAS 53, 423.05; https://www.wis-tns.org.
Radius: 2 arcsec. Positions come from the discovering survey, most good to 0.3 arcsec, old ones
to one.
Epoch: J2000; supernovae do not move.
``source_id`` is prefix and name (``SN 2021rhu``), ``source_class`` the spectroscopic type, null
where nobody classified it. The redshift is the transient's or the host's. ``magnitude`` is that
of the discovery, in the reporter's filter.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import Catalog, TextLayout
from services.xmatch.catalogs.columns import ColumnMap, column
from services.xmatch.catalogs.fields import Fields

MEND = "tocsin catalogs import tns tns_public_objects.csv.zip --release 2026-11-22"


def names(fields: Fields) -> pa.Array:
    """``SN 2021rhu``."""
    prefix = pc.fill_null(fields.words("name_prefix"), "")
    text = pc.binary_join_element_wise(prefix, fields.words("name"), " ")
    return pc.utf8_trim_whitespace(text)


MAP = ColumnMap(
    radius_arcsec=2.0,
    ra=column("ra"),
    dec=column("declination", "dec"),
    source_class=("type",),
    columns={
        "redshift": column("redshift", above=0.0),
        "magnitude": column("discoverymag", above=-5.0),
    },
    id_of=names,
    also=("name_prefix", "name"),
)

TNS = Catalog(
    name="tns",
    title="Transient Name Server, public objects",
    kind="transients",
    reference="Gal-Yam 2021, BAAS 53, 423.05; https://www.wis-tns.org",
    licence="Free with credit to TNS",
    radius_arcsec=MAP.radius_arcsec,
    epoch_year=2000.0,
    magnitude_band=None,
    mend=MEND,
    rows=MAP.rows,
    columns=MAP.file_columns(),
    made_of=MAP.meaning(),
    text=TextLayout(skip_lines=1),
)
