"""One user's list or region, as imported: what is kept of it, and what it may be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import TocsinError

LARGEST_RADIUS_ARCSEC = 3_600.0
"""One degree: what is wider is a region, and belongs in a MOC."""
DEFAULT_RADIUS_ARCSEC = 2.0
"""Wider than any survey's astrometry, narrower than the distance of neighbours in most fields."""
MOST_ROWS = 50_000_000
"""Of all lists together: 6 GB of index, mapped, not read."""


class WatchlistError(TocsinError):
    """A list or region cannot be imported or found; the message says how to mend it."""


class Entry(BaseModel):
    """What is known of one version of a list or region."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["positions", "region"] = Field(title="What it is")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$", title="Name, unique for its owner"
    )
    owner: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", title="Whose it is"
    )
    is_public: bool = Field(False, title="Whether everybody's filters see its hits")
    version: int = Field(ge=1, title="Counted from 1 at each import")
    imported_ms: int = Field(title="When, Unix time, milliseconds")
    source_file: str = Field(title="Name of the file it was made of")
    source_sha256: str = Field(title="Checksum of that file")
    rows: int = Field(ge=0, title="Positions, or ranges of the MOC")
    bad_rows: int = Field(0, ge=0, title="Rows left out because they are no positions")
    first_bad_rows: tuple[int, ...] = Field((), title="The first of them, counted from 1")
    sky_fraction: float | None = Field(None, title="Part of the sky a region covers")

    @property
    def key(self) -> str:
        """Name of the entry's folder: owner and name may hold anything a folder may not."""
        return key_of(self.owner, self.name)


def key_of(owner: str, name: str) -> str:
    """Name of the folder of an owner's list or region."""
    return hashlib.blake2b(f"{owner}\0{name}".encode(), digest_size=8).hexdigest()


def sha256_of(path: Path) -> str:
    """Checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
