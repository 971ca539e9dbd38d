"""What the courier must be told."""

from __future__ import annotations

from pydantic import Field

from services.distribute.settings import DistributeSettings


class CourierSettings(DistributeSettings):
    """Settings of the courier."""

    courier_poll_s: float = Field(1.0, gt=0, le=60, title="Subscriptions are read anew every, s")
    courier_queue: int = Field(
        10_000, ge=10, title="Deliveries that wait per subscription; more stay in Kafka"
    )
    courier_first_retry_s: float = Field(2.0, gt=0, title="First pause after a peer is away, s")
    courier_last_retry_s: float = Field(300.0, gt=0, title="Longest pause between attempts, s")
    courier_give_up_hours: float = Field(
        72.0, gt=0, title="A delivery that no peer took for so long has failed, hours"
    )
    courier_doubt_s: float = Field(
        60.0, ge=0, title="A delivery cut off is looked after only when so old, s",
        description="longer than any attempt lasts, so that another courier's is over",
    )  # fmt: skip
    courier_keep_days: float = Field(30.0, gt=0, title="Settled deliveries are kept for, days")
    courier_timeout_s: float = Field(20.0, gt=0, le=50, title="Longest call to a peer, seconds")
    courier_allow_private: bool = Field(
        False, title="Webhooks may go to private and loopback addresses"
    )
    courier_public_url: str = Field("", title="URL of the portal, for links in messages")
    mail_smtp: str = Field("", title="SMTP server, host:port; empty for no e-mail")
    mail_from: str = Field("tocsin@localhost", title="Sender of e-mail")
    mail_tls: bool = Field(True, title="STARTTLS is demanded")
    tns_live: bool = Field(False, title="Subscriptions may report to the real TNS")
    tns_doubt_s: float = Field(
        600.0, ge=0, title="TNS may take so long to show a report; before, none is repeated, s"
    )
    tns_url: str = Field("", title="API of another TNS, for trials; empty for the two real ones")
    hermes_bootstrap_servers: str = Field(
        "kafka.scimma.org:9092", title="Kafka that HERMES messages go to"
    )
    hermes_security_protocol: str = Field(
        "SASL_SSL", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$", title="How to talk to it"
    )
