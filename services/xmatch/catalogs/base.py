"""The contract of a catalog: where its rows are, what they mean, how far a match may be.

A catalog is either *packaged* (its file is a member of an installed distribution) or *registered
ready*: the deployment has the published file and imports it with ``tocsin catalogs import``.
Either way its file is read table by table, and ``Catalog.rows`` turns each into ``CatalogRows``:
standard names, units and frames, which are all that the rest of xmatch knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import TocsinError

Floats = npt.NDArray[np.float64] | npt.NDArray[np.float32]

Kind = Literal[
    "galaxies",
    "stars",
    "variables",
    "agn",
    "high_energy",
    "transients",
    "sources",
    "watchlist",
    "region",
]
"""What a catalog is a catalog of. ``sources`` is a survey's detections of every nature."""

REDSHIFT_KINDS = ("", "spec", "phot")
"""What the codes of the column ``redshift_kind`` mean: unknown, spectroscopic, photometric."""

NUMERIC_COLUMNS = (
    "redshift",
    "redshift_err",
    "redshift_kind",
    "distance_mpc",
    "magnitude",
    "major_axis_arcsec",
    "minor_axis_arcsec",
    "position_angle_deg",
    "pm_ra_masyr",
    "pm_dec_masyr",
    "epoch_year",
    "error_major_arcsec",
    "error_minor_arcsec",
    "error_angle_deg",
)
"""The optional numeric columns of ``CatalogRows``, by name, as an index keeps them."""


class CatalogUnavailableError(TocsinError):
    """A catalog's file is missing or cannot be read; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """Rows of a catalog in standard columns. Numbers are NaN where the catalog has none."""

    ra_deg: npt.NDArray[np.float64]
    """ICRS right ascension at the epoch, degrees, shape (m,); NaN where missing."""
    dec_deg: npt.NDArray[np.float64]
    """ICRS declination at the epoch, degrees, shape (m,); NaN where missing."""
    reach_arcsec: float | npt.NDArray[np.float64]
    """How far from the row an alert may be, arcseconds: one number, or shape (m,). With an
    error ellipse it is the ellipse's semi-major axis or the catalog's radius, if larger."""
    source_id: pa.Array
    """String, or 64-bit integer (a fifth of the room in a billion rows), shape (m,)."""
    source_class: pa.Array
    """String or dictionary of strings, the catalog's own words, null for none, shape (m,)."""
    redshift: Floats | None = None
    """NaN where unknown; None if the catalog has no redshifts. All below are alike."""
    redshift_err: Floats | None = None
    """One standard deviation."""
    redshift_kind: npt.NDArray[np.uint8] | None = None
    """Codes of ``REDSHIFT_KINDS``."""
    distance_mpc: Floats | None = None
    """Luminosity distance, Mpc, where the catalog has one of its own."""
    magnitude: Floats | None = None
    """In ``Catalog.magnitude_band``."""
    major_axis_arcsec: Floats | None = None
    """Full major axis of an extended source, arcseconds."""
    minor_axis_arcsec: Floats | None = None
    """Full minor axis, arcseconds."""
    position_angle_deg: Floats | None = None
    """Of the major axis, north through east, degrees in [0, 180)."""
    pm_ra_masyr: Floats | None = None
    """Proper motion in right ascension times cos(Dec), milliarcseconds per Julian year."""
    pm_dec_masyr: Floats | None = None
    """Proper motion in declination, milliarcseconds per Julian year."""
    epoch_year: Floats | None = None
    """Epoch of each position, Julian year; None if all are of ``Catalog.epoch_year``."""
    error_major_arcsec: Floats | None = None
    """Semi-major axis of the ellipse in which an alert may be, arcseconds: an error ellipse
    already at the level that counts as a match (95 % in Fermi's catalogs)."""
    error_minor_arcsec: Floats | None = None
    """Its semi-minor axis, arcseconds."""
    error_angle_deg: Floats | None = None
    """Position angle of its major axis, north through east, degrees."""
    photometry: Mapping[str, Floats] = field(default_factory=dict)
    """Magnitudes (AB unless the catalog says otherwise) by ``<band>_mag`` and their errors by
    ``<band>_mag_err``: ``g_mag``, ``w1_mag_err``. For photometric redshifts."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many rows of the file were left out on purpose, by reason."""
    file_row: npt.NDArray[np.int64] | None = None
    """Row of the table each row was made of, shape (m,); None if none was left out."""

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.ra_deg)


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How a table in text is laid out, if not by commas and with a first line of names."""

    delimiter: str = ","
    names: tuple[str, ...] = ()
    """Names of the columns, if no line of the file holds them."""
    skip_lines: int = 0
    """Lines before the names, or before the first row."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """Data files inside the wheel of a Python distribution."""

    distribution: str
    members: tuple[str, ...]
    """Paths of the files inside the distribution; their rows follow one another."""
    install: str
    """Command that installs the distribution."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """One catalog. Each module in this package ends in one of these."""

    name: str
    """Registry name, as it stands in every match."""
    title: str
    kind: Kind
    reference: str
    """Paper or DOI to cite."""
    licence: str
    radius_arcsec: float
    """Match radius of a point source, arcseconds; the module says why."""
    epoch_year: float
    """Epoch of the positions, Julian year, where rows have none of their own."""
    magnitude_band: str | None
    mend: str
    """What brings the file: a command that installs it, or an import command."""
    rows: Callable[[pa.Table], CatalogRows]
    """Turns a table of the file's own columns, any number of rows, into standard columns.

    Raises ``CatalogUnavailableError`` if a column is missing or is not what it should be.
    """
    package: PackageFile | None = None
    """Where the file is if a Python package brings it; None if the deployment does."""
    tables: Callable[[Path], Iterator[pa.Table]] | None = None
    """Reads a file of the catalog's own making, table by table; None if it is FITS, Parquet,
    CSV, VOTable or HATS, which ``services.xmatch.store`` reads."""
    columns: tuple[str, ...] = ()
    """The file's columns that ``rows`` wants, in any case of letters; none: all are read."""
    has_hosts: bool = False
    """Whether its rows may be host galaxies: they have axes, a redshift or a distance."""
    redshift_kind: Literal["spec", "phot", ""] = ""
    """Of all its redshifts, where rows do not say it one by one."""
    text: TextLayout = TextLayout()
    """If the file is text."""
    made_of: Mapping[str, str] = field(default_factory=dict)
    """Standard columns and what of the file they are made of, in words, for the reference."""
