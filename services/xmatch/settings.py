"""What xmatch must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class XmatchSettings(ServiceSettings):
    """Settings of xmatch."""

    xmatch_catalogs: str = Field(
        "openngc,gcvs,vsx",
        title="Catalogs to search",
        description="registry names, separated by commas; one that is not installed is skipped",
    )
    xmatch_most_per_catalog: int = Field(
        5, ge=1, le=100, title="Sources of one catalog that an alert keeps, the nearest"
    )

    def catalog_names(self) -> list[str]:
        """``xmatch_catalogs`` as a list."""
        return [name.strip() for name in self.xmatch_catalogs.split(",") if name.strip()]

    def catalog_folder(self) -> Path:
        """Where the indexes of catalogs are kept."""
        return self.state_dir / "catalogs"

    def watchlist_folder(self) -> Path:
        """Where users' lists of positions and regions of the sky are kept."""
        return self.state_dir / "watchlists"
