"""What the portal must be told beyond what every service must."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class PortalSettings(ServiceSettings):
    """Settings of the portal. It listens on ``portal_host``, port ``http_port``."""

    portal_host: str = Field("127.0.0.1", title="Address the portal listens on")
    portal_public_url: str = Field(
        "", title="URL under which others reach it; empty for the request's own"
    )
    portal_anonymous_read: bool | None = Field(
        None,
        title="Whether public data may be read without a token",
        description="if not set: on a loopback address yes, elsewhere no",
    )
    portal_operator_token_file: Path | None = Field(
        None, title="File that an operator's token is written to at the start, mode 0600"
    )
    portal_cors_origins: str = Field(
        "", title="Web pages of these origins may call the API", description="separated by commas"
    )
    portal_body_kib: int = Field(1024, ge=16, le=65_536, title="Largest body of a request, KiB")
    portal_header_seconds: float = Field(
        10.0, gt=0, le=120, title="A request's headers must be here within, seconds"
    )
    portal_request_seconds: float = Field(
        60.0, gt=0, le=600, title="Longest time for one request, streams apart, seconds"
    )
    portal_connections: int = Field(400, ge=10, le=20_000, title="Connections at once")
    portal_requests_per_minute: int = Field(
        600, ge=1, le=1_000_000, title="Requests per minute with one token"
    )
    portal_requests_per_minute_anonymous: int = Field(
        240, ge=1, le=1_000_000, title="Requests per minute without a token, per address"
    )
    portal_failures_per_minute: int = Field(
        30, ge=1, le=10_000, title="Refused tokens per minute and address, before all is refused"
    )
    portal_daily_mib: int = Field(
        20_000, ge=1, title="Answers per day with one token, or per address without, MiB"
    )
    portal_streams_per_caller: int = Field(
        8, ge=1, le=1000, title="Event streams at once with one token, or per address without"
    )
    portal_streams: int = Field(200, ge=1, le=10_000, title="Event streams at once, all callers")
    portal_jobs_per_caller: int = Field(
        4, ge=1, le=100, title="Archive queries waiting or running per caller"
    )
    portal_job_seconds: float = Field(
        120.0, gt=0, le=3600, title="Longest run of one archive query, seconds"
    )
    portal_job_memory_mib: int = Field(
        512, ge=64, le=65_536, title="Memory of one archive query, MiB"
    )
    portal_job_keep_hours: float = Field(
        24.0, gt=0, le=720, title="Results of archive queries are kept for, hours"
    )

    portal_filter_share_limit: float = Field(
        0.05, gt=0, le=1, title="Share of the stream above which a filter needs an operator"
    )
    portal_filter_guard_nights: int = Field(
        7, ge=0, le=400, title="Nights that a filter is tried on before it is activated"
    )
    portal_backtest_seconds: float = Field(
        30.0, gt=0, le=600, title="Longest time for a backtest, seconds"
    )
    portal_backtest_batch_seconds: float = Field(
        10.0, gt=0, le=600, title="Longest run of a filter on 65,536 archived alerts, seconds"
    )
    portal_backtest_memory_mib: int = Field(
        512, ge=64, le=65_536, title="Memory of a backtest's engine, MiB"
    )
    portal_backtest_envelopes: int = Field(
        5000, ge=0, le=50_000, title="Envelopes of tonight that a backtest asks, the newest"
    )

    @property
    def anonymous_may_read(self) -> bool:
        """Whether a request without a token may read what is public."""
        if self.portal_anonymous_read is not None:
            return self.portal_anonymous_read
        return is_loopback(self.portal_host)

    def cors_origins(self) -> list[str]:
        """``portal_cors_origins`` as a list."""
        return [part.strip() for part in self.portal_cors_origins.split(",") if part.strip()]


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
