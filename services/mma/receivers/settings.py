"""What the receivers must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from shared.settings import ServiceSettings

CLASSIC_TYPES = (
    "AMON_NU_EM_COINC", "CALET_GBM_FLT_LC", "FERMI_GBM_ALERT", "FERMI_GBM_FIN_POS",
    "FERMI_GBM_FLT_POS", "FERMI_GBM_GND_POS", "FERMI_GBM_SUBTHRESH", "FERMI_LAT_MONITOR",
    "FERMI_LAT_OFFLINE", "FERMI_LAT_POS_UPD", "GECAM_FLT", "GECAM_GND", "HAWC_BURST_MONITOR",
    "ICECUBE_ASTROTRACK_BRONZE", "ICECUBE_ASTROTRACK_GOLD", "ICECUBE_CASCADE", "IPN_POS",
    "KONUS_LC", "MAXI_UNKNOWN", "SK_SN", "SNEWS", "SWIFT_BAT_GRB_POS_ACK",
    "SWIFT_UVOT_POS", "SWIFT_XRT_POSITION",
)  # fmt: skip
"""Notice types of ``gcn.classic.voevent.*`` that may name an event."""
JSON_TOPICS = (
    "igwn.gwalert", "gcn.notices.chime.frb", "gcn.notices.dsa110.frb",
    "gcn.notices.einstein_probe.wxt.alert", "gcn.notices.fermi.gbm", "gcn.notices.fermi.lat.flare",
    "gcn.notices.icecube.gold_bronze_track_alerts", "gcn.notices.icecube.lvk_nu_track_search",
    "gcn.notices.km3net.alert", "gcn.notices.maxi.gsc.unknown", "gcn.notices.superk.sn_alert",
    "gcn.notices.svom.voevent.eclairs", "gcn.notices.svom.voevent.grm",
    "gcn.notices.svom.voevent.mxt", "gcn.notices.swift.bat.guano",
)  # fmt: skip
DEFAULT_TOPICS = (*JSON_TOPICS, *(f"gcn.classic.voevent.{name}" for name in CLASSIC_TYPES))


class ReceiverSettings(ServiceSettings):
    """Settings of ``tocsin mma receive``; a receiver that is not told where to go stays off."""

    gcn_bootstrap_servers: str = Field(
        "", title="Kafka with notices; kafka.gcn.nasa.gov for GCN, empty for none"
    )
    gcn_client_id: str = Field("", title="OAuth client; empty for a Kafka without authentication")
    gcn_client_secret: SecretStr = Field(SecretStr(""), title="Its secret")
    gcn_token_url: str = Field(
        "https://auth.gcn.nasa.gov/oauth2/token", title="Where tokens are had"
    )
    gcn_scope: str = Field("gcn.nasa.gov/kafka-public-consumer", title="OAuth scope asked for")
    gcn_security_protocol: str = Field("sasl_ssl", title="librdkafka's security.protocol")
    gcn_topics: str = Field(
        "", title="Topics, separated by commas; empty for all that may name an event"
    )
    gcn_group_id: str = Field("", title="Consumer group; the client's id if empty")
    vtp_servers: str = Field("", title="VTP brokers to follow, host:port, separated by commas")
    vtp_ivorn: str = Field("ivo://tocsin/subscriber", title="How we call ourselves to them")
    receive_folder: Path | None = Field(None, title="Folder that notices are dropped into")
    receive_http_host: str = Field("127.0.0.1", title="Address of POST /notices")
    receive_http_port: int = Field(0, ge=0, le=65535, title="Its port; 0 for none")
    receive_http_token: SecretStr = Field(
        SecretStr(""), title="Bearer token of POST /notices; without one it stays off"
    )
    inject_every_s: float = Field(
        0.0, ge=0, title="Seconds between test notices that watch the line; 0 for none"
    )

    inject_patience_s: float = Field(
        60.0, gt=0, title="A test notice whose association is not back after so long is lost"
    )

    @field_validator("receive_folder", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        """Empty is none, not the folder we are in."""
        return value or None

    def is_anything_set(self) -> bool:
        """Whether there is anything to receive from, the test notices among it."""
        return bool(
            self.gcn_bootstrap_servers
            or self.vtp_server_names()
            or self.receive_folder
            or self.inject_every_s
            or (self.receive_http_port and self.receive_http_token.get_secret_value())
        )

    def gcn_topic_names(self) -> list[str]:
        """The topics to follow."""
        given = [name.strip() for name in self.gcn_topics.split(",") if name.strip()]
        return given or [*DEFAULT_TOPICS]

    def vtp_server_names(self) -> list[str]:
        """The brokers to follow."""
        return [name.strip() for name in self.vtp_servers.split(",") if name.strip()]
