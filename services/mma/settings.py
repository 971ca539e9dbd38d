"""What mma must be told."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class MmaSettings(ServiceSettings):
    """Settings of the multi-messenger service."""

    mma_max_credible_level: float = Field(
        0.95,
        gt=0,
        lt=1,
        title="Largest credible level that counts as inside a region",
        description="0.95 is what BOOM uses; an association carries its own level",
    )
    mma_max_events: int = Field(5000, ge=1, title="Events held; the first that came goes first")
    mma_max_maps: int = Field(400, ge=1, title="Events with a sky map held, about 1 MB each")
    mma_max_recent_alerts: int = Field(
        300_000,
        ge=0,
        title="Alerts kept for notices that come after them, about 200 bytes each",
    )
    mma_max_associations: int = Field(
        100_000, ge=1, title="Associations remembered for updates and withdrawals"
    )
    mma_look_back_hours: float = Field(
        24.0,
        ge=0,
        title="A notice received within so many hours is held against the archive too; 0 for none",
        description="Needs the archive's database; while it is away events wait, alerts do not",
    )
    mma_tell_s: float = Field(
        1.0, gt=0, le=60, title="Seconds between looks for news of events and coincidences"
    )
    mma_heartbeat_s: float = Field(
        10.0, gt=0, title="Seconds between messages on the heartbeat topic"
    )
