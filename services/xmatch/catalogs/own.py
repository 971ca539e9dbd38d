"""Catalogs that are not registered: a list of your own, described on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from services.xmatch.catalogs.base import (
    NUMERIC_COLUMNS,
    Catalog,
    CatalogUnavailableError,
    Kind,
)
from services.xmatch.catalogs.columns import ColumnMap, FileColumn

KINDS: tuple[str, ...] = get_args(Kind)
MAY_BE_HOSTS = {"major_axis_arcsec", "redshift", "distance_mpc"}


@dataclass(frozen=True, slots=True)
class OwnList:
    """What somebody says of a file of theirs; kept with the import, to repeat it."""

    radius_arcsec: float
    ra: str = "ra"
    dec: str = "dec"
    source_id: str = ""
    source_class: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Standard numeric columns, or magnitudes (``g_mag``), by the file's columns."""
    kind: str = "sources"
    title: str = ""
    reference: str = "not given"
    licence: str = "not given"
    epoch_year: float = 2000.0


def own_catalog(name: str, own: OwnList) -> Catalog:
    """A catalog as the registry would have it.

    Raises
    ------
    CatalogUnavailableError
        If a kind or standard column is not known, or the radius is not positive.
    """
    if own.kind not in KINDS:
        raise CatalogUnavailableError(f"no kind {own.kind!r}; there are {', '.join(KINDS)}")
    if not 0.0 < own.radius_arcsec <= 36_000.0:
        raise CatalogUnavailableError("the radius must be more than 0 and at most 36000 arcsec")
    numeric, photometry = _parted(own.columns)
    mapped = ColumnMap(
        radius_arcsec=own.radius_arcsec,
        ra=FileColumn((own.ra,), written="hours"),
        dec=FileColumn((own.dec,), written="degrees"),
        source_id=(own.source_id,) if own.source_id else (),
        source_class=(own.source_class,) if own.source_class else (),
        columns=numeric,
        photometry=photometry,
    )
    return Catalog(
        name=name,
        title=own.title or name,
        kind=cast(Kind, own.kind),
        reference=own.reference,
        licence=own.licence,
        radius_arcsec=own.radius_arcsec,
        epoch_year=own.epoch_year,
        magnitude_band=None,
        mend=f"tocsin catalogs import {name} FILE",
        rows=mapped.rows,
        columns=mapped.file_columns(),
        has_hosts=own.kind == "galaxies" and not MAY_BE_HOSTS.isdisjoint(numeric),
        made_of=mapped.meaning(),
    )


def _parted(
    columns: Mapping[str, str],
) -> tuple[dict[str, FileColumn], dict[str, FileColumn]]:
    numeric, photometry = {}, {}
    for standard, name in columns.items():
        if standard in NUMERIC_COLUMNS and standard != "redshift_kind":
            numeric[standard] = FileColumn((name,))
        elif standard.endswith(("_mag", "_mag_err")):
            photometry[standard] = FileColumn((name,))
        else:
            known = ", ".join(n for n in NUMERIC_COLUMNS if n != "redshift_kind")
            raise CatalogUnavailableError(
                f"no standard column {standard!r}; there are {known}, and magnitudes like g_mag"
            )
    return numeric, photometry
