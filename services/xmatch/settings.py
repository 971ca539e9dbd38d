"""What xmatch must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class XmatchSettings(ServiceSettings):
    """Settings of xmatch."""

    xmatch_catalogs: str = Field(
        "all",
        title="Catalogs to search",
        description="names separated by commas, or all: what packages bring and what is imported; "
        "one that is not installed is skipped",
    )
    xmatch_look_every_s: float = Field(
        10.0, gt=0.0, title="How often to look for new versions of catalogs, seconds"
    )
    xmatch_most_per_catalog: int = Field(
        5, ge=1, le=100, title="Sources of one catalog that an alert keeps, the nearest"
    )

    xmatch_dust_map: Path | None = Field(
        None,
        title="Dust map",
        description="a HEALPix FITS file of E(B-V), or the folder of the SFD map's two files",
    )
    xmatch_orbits: Path | None = Field(
        None, title="Orbits of solar-system bodies", description="MPCORB.DAT, may be gzipped"
    )
    xmatch_orbit_radius_arcsec: float = Field(
        5.0,
        gt=0.0,
        le=60.0,
        title="How far from its predicted place a body is the cause of an alert, arcsec",
    )
    xmatch_faintest_body_mag: float = Field(
        25.0, title="Bodies fainter than this are left out, magnitudes"
    )

    xmatch_photo_z: Path | None = Field(
        None,
        title="Photometric-redshift model",
        description="the folder that tocsin photoz train made",
    )

    def catalog_folder(self) -> Path:
        """Where the indexes of catalogs are kept."""
        return self.state_dir / "catalogs"

    def watchlist_folder(self) -> Path:
        """Where users' lists of positions and regions of the sky are kept."""
        return self.state_dir / "watchlists"
