"""What the VOEvent broker must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.distribute.settings import DistributeSettings


class VtpSettings(DistributeSettings):
    """Settings of the VOEvent broker. It listens on loopback unless it is told otherwise."""

    vtp_host: str = Field("127.0.0.1", title="Address that it listens on")
    vtp_port: int = Field(8099, ge=0, le=65535, title="Port of subscribers; 0 for none")
    vtp_author_port: int = Field(0, ge=0, le=65535, title="Port of authors (8098); 0: none")
    vtp_tls_port: int = Field(0, ge=0, le=65535, title="Port of subscribers with TLS; 0 for none")
    vtp_author_tls_port: int = Field(0, ge=0, le=65535, title="Port of authors with TLS; 0: none")
    vtp_certificate_file: Path | None = Field(None, title="PEM file: our certificate for TLS")
    vtp_key_file: Path | None = Field(None, title="PEM file: its key")
    vtp_author_ca_file: Path | None = Field(
        None, title="PEM file: authors with TLS must show a certificate of this authority"
    )
    vtp_subscribers: str = Field(
        "127.0.0.0/8,::1/128", title="Networks that may subscribe", description="0.0.0.0/0: all"
    )
    vtp_authors: str = Field("127.0.0.0/8,::1/128", title="Networks that may hand in packets")
    vtp_name: str = Field(
        "broker", pattern=r"^[a-z0-9-]{1,40}$", title="Name; brokers side by side need their own"
    )
    vtp_most_subscribers: int = Field(2000, ge=1, title="Connections of subscribers at once")
    vtp_most_per_address: int = Field(1000, ge=1, title="The same, from one address")
    vtp_backlog_kib: int = Field(
        2048, ge=64, title="A subscriber that is behind by more is disconnected, KiB"
    )
    vtp_unacknowledged: int = Field(
        5000, ge=10, title="A subscriber that owes more receipts is disconnected"
    )
    vtp_alive_s: float = Field(60.0, gt=0, le=90, title="iamalive after so long without news, s")
    vtp_frame_s: float = Field(20.0, gt=0, title="A message that has begun must end within, s")
    vtp_packet_bytes: int = Field(
        99_999, ge=1000, le=4_194_304, title="Largest packet taken from authors; Comet's own limit"
    )
    vtp_most_authors: int = Field(50, ge=1, title="Connections of authors at once")
    vtp_most_filters: int = Field(10, ge=0, le=100, title="Filters of one subscriber")
    vtp_filter_s: float = Field(0.1, gt=0, le=5, title="Longest time of a filter on a packet, s")
    vtp_max_age_s: float = Field(
        3600.0, gt=0, title="Packets older than this at a start are not relayed, s"
    )
