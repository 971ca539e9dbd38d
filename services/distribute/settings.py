"""What distribute must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.distribute.filters import DEFAULT_FILE
from shared.settings import ServiceSettings


class DistributeSettings(ServiceSettings):
    """Settings of distribute."""

    filters_file: Path = Field(
        DEFAULT_FILE, title="Filters", description="TOML file of [[filter]] tables"
    )
    filters_from_database: bool = Field(
        True,
        title="Whether the filters that users activate are run too",
        description="if so, no alert is delivered before the database has been asked for them",
    )
    filters_poll_s: float = Field(
        2.0, gt=0, le=3600, title="The database is asked for filters every so many seconds"
    )
    out_retention_hours: float = Field(
        168.0, gt=0, title="Hours that new out topics keep a message, unless their filter says"
    )
    distribute_take_within_s: float = Field(
        0.15,
        gt=0,
        le=10,
        title="Longest wait for more envelopes, seconds",
        description="filters cost a third per alert when hundreds are weighed together",
    )
    filter_memory_mib: int = Field(
        256, ge=32, le=16_384, title="Memory of one run of all filters, MiB"
    )
    filter_seconds: float = Field(
        2.0, gt=0, le=60, title="Longest run of all filters on one batch, seconds"
    )
    delivered_window: int = Field(
        5000,
        ge=100,
        le=1_000_000,
        title="Deliveries remembered",
        description="messages per out topic and partition; more than one crash can repeat",
    )
    voevent_authority: str = Field(
        "org.tocsin",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,100}$",
        title="IVOA authority in the IVORNs of our VOEvents",
    )
    voevent_contact_name: str = Field("Tocsin alert broker", title="Contact named in VOEvents")
    voevent_contact_email: str = Field("", title="Contact address in VOEvents; empty for none")
