"""An update: what became known about an object after its alert had gone down the river.

An alert is never rewritten. What a service elsewhere answers later, and what a catalog that has
changed says now, is a record of its own on the ``updates`` topic, as JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Match = Mapping[str, str | float | int | bool | None]
"""One source, under the names of ``shared.schemas.alert.MATCH``."""
MAX_MATCHES = 500
"""Most sources in one update: more than anybody reads, less than a message may hold."""


class MatchChange(BaseModel):
    """What a match made again has changed about one source."""

    model_config = ConfigDict(frozen=True)

    what: Literal["added", "removed", "changed"] = Field(title="What happened to the match")
    column: str = Field("matches", title="Column of the alert that it is about")
    catalog: str = Field(title="Registry name of the catalog, or name of the list or region")
    source_id: str = Field(title="The catalog's identifier of the source, or the list's target")
    version_before: str | None = Field(None, title="Release it was matched with; null if added")
    version_after: str | None = Field(None, title="Release it is matched with; null if removed")
    owner: str | None = Field(None, title="Whose list or region it is; null for a catalog")
    is_public: bool = Field(True, title="False for a private list: for its owner's eyes only")


class Update(BaseModel):
    """One statement about one object. Never changed once written; the latest is the best."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(title="Who says so: a service's registry name, or rematch")
    survey: str = Field(title="Survey of the alert")
    object_id: str = Field(title="The survey's identifier of the object")
    alert_id: str = Field(title="Alert whose position was used")
    ra_deg: float = Field(ge=0, lt=360, title="Right ascension that was used, ICRS, degrees")
    dec_deg: float = Field(ge=-90, le=90, title="Declination that was used, ICRS, degrees")
    radius_arcsec: float | None = Field(
        None, gt=0, title="Radius that was searched, arcseconds; null for the catalogs' own"
    )
    matches: tuple[Match, ...] = Field(
        (), max_length=MAX_MATCHES, title="All sources it knows there, nearest first; maybe none"
    )
    changes: tuple[MatchChange, ...] = Field((), title="What is new about them; of rematch only")
    described: Mapping[str, Any] = Field(
        default_factory=dict,
        title="What other columns of xmatch say now, by name (context, redshift); of rematch only",
    )
    asked_ms: int = Field(title="When it was asked, Unix time, milliseconds")
    answered_ms: int = Field(title="When it answered, Unix time, milliseconds")
    service_url: str | None = Field(None, title="Where it was asked; null for this machine")
    service_version: str | None = Field(None, title="What it says of its own version")

    @property
    def update_id(self) -> str:
        """Identity of the statement, its times left out: what to drop repeats by."""
        said = self.model_dump_json(exclude={"asked_ms", "answered_ms", "service_version"})
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    @property
    def key(self) -> bytes:
        """Kafka key: the object, so that its updates stay in order."""
        return self.object_id.encode()

    def to_json(self) -> bytes:
        """The update as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Update:
        """Read an update back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
