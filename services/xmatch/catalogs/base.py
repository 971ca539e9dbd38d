"""The contract of a catalog: where its rows are, what they mean, how far a match may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import TocsinError


class CatalogUnavailableError(TocsinError):
    """A catalog's file is missing or cannot be read; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """The rows of a catalog as its file has them, in the columns of a match."""

    ra_deg: npt.NDArray[np.float64]
    """ICRS right ascension at the catalog's epoch, degrees, shape (m,); NaN where missing."""
    dec_deg: npt.NDArray[np.float64]
    """ICRS declination at the catalog's epoch, degrees, shape (m,); NaN where missing."""
    reach_arcsec: float | npt.NDArray[np.float64]
    """How far from the row an alert may be, arcseconds: one number, or shape (m,)."""
    source_id: pa.Array
    """String, shape (m,)."""
    source_class: pa.Array
    """String, the catalog's own words, null where it has none, shape (m,)."""
    redshift: pa.Array | None = None
    """Null where unknown; None if the catalog has no redshifts."""
    magnitude: pa.Array | None = None
    """In ``Catalog.magnitude_band``; None if the catalog has no magnitudes."""
    major_axis_arcsec: pa.Array | None = None
    """Full major axis; None if all are points."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many rows of the file were left out on purpose, by reason."""

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.ra_deg)


@dataclass(frozen=True, slots=True)
class Catalog:
    """One catalog. Each module in this package ends in one of these."""

    name: str
    """Registry name, as it stands in every match."""
    title: str
    reference: str
    """Paper or DOI to cite."""
    licence: str
    radius_arcsec: float
    """Match radius of a point source, arcseconds; the module says why."""
    epoch_year: float
    """Epoch of the positions, Julian year."""
    magnitude_band: str | None
    distribution: str
    """Python distribution whose wheel holds the file."""
    member: str
    """Path of the file inside that distribution."""
    mend: str
    """Command that installs the distribution."""
    read: Callable[[Path], CatalogRows]
    """Reads the file; raises ``CatalogUnavailableError`` if it is not what it should be."""
