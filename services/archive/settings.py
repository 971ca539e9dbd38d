"""What the archive must be told beyond what every service must."""

from __future__ import annotations

from pydantic import Field

from services.archive.packets import LogPolicy
from services.archive.packets.partition_log import Sync
from shared.settings import ServiceSettings


class ArchiveSettings(ServiceSettings):
    """Settings of the archive. The database's are common; packets lie below ``state_dir``."""

    archive_keep_packets: bool = Field(True, title="Whether survey packets are kept at all")
    archive_take_within_s: float = Field(
        0.5,
        gt=0,
        le=60,
        title="Longest wait for more envelopes, seconds",
        description="one bulk of ten documents costs the database less than ten bulks of one",
    )
    archive_segment_mib: int = Field(
        256, ge=1, le=4096, title="Size at which a segment of packets is closed, MiB"
    )
    archive_packets_sync: Sync = Field(
        "roll",
        title="When to wait for the disk: never, roll (segment full) or batch",
        description="A killed process loses nothing with any of them; a power cut, with roll, "
        "what the survey's topic still has; with batch, nothing",
    )
    archive_keep_packets_gib: float = Field(
        0.0, ge=0, title="Largest size of one partition's packets, GiB; 0 keeps all"
    )
    archive_keep_packets_days: float = Field(
        0.0, ge=0, title="Age at which packets are deleted, days; 0 keeps all"
    )
    archive_pack_every_s: float = Field(
        600.0,
        ge=0,
        title="How often to look for nights to be packed as Parquet, seconds; 0 never",
    )
    archive_pack_quiet_s: float = Field(
        900.0, ge=0, title="A night is packed when nothing of it has come for so long, seconds"
    )

    def log_policy(self) -> LogPolicy:
        """How segments are cut, kept and synchronised."""
        return LogPolicy(
            segment_bytes=self.archive_segment_mib * 1024**2,
            sync=self.archive_packets_sync,
            keep_bytes=int(self.archive_keep_packets_gib * 1024**3),
            keep_s=self.archive_keep_packets_days * 86_400.0,
        )
