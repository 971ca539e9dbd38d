"""What every service must be told. Read from the environment when a process starts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings common to all services; each adds its own. Variables begin with ``TOCSIN_``."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", frozen=True, extra="ignore")

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:19092", title="Kafka brokers", description="host:port, separated by commas"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", title="How to talk to the brokers", description="encrypted: SSL, SASL_SSL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", title="How to prove who we are, where the protocol is SASL"
    )
    kafka_username: str = Field("", title="Kafka user, where the protocol is SASL")
    kafka_password: SecretStr = Field(SecretStr(""), title="Password of that user")
    kafka_ca_file: Path | None = Field(
        None, title="PEM file of the brokers' certificate authority; none for the system's"
    )
    topic_prefix: str = Field("tocsin.", title="Prefix of every topic and consumer group of ours")
    partitions: int = Field(2, ge=1, le=1000, title="Partitions of each of our topics")
    replication: int = Field(1, ge=1, le=9, title="Replicas of each of our topics")
    survey_topics: str = Field(
        "ztf=ztf_alerts,lsst=lsst_alerts",
        title="Survey topics",
        description="survey=topic pairs, separated by commas; a topic may be a ^regex",
    )
    private_surveys: str = Field(
        "",
        title="Surveys that not everybody may see",
        description="survey=group pairs, separated by commas; operators see all",
    )
    database_uri: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27117/?directConnection=true"), title="MongoDB URI"
    )
    database_name: str = Field("tocsin", title="MongoDB database")
    state_dir: Path = Field(Path(".tocsin"), title="Folder for whatever this machine must remember")
    secrets_key_file: Path | None = Field(
        None, title="Key that subscriptions' secrets are sealed with; in the state folder if unset"
    )
    http_host: str = Field("127.0.0.1", title="Address of /metrics, /live and /ready")
    http_port: int = Field(
        0, ge=0, le=65535, title="Port of /metrics, /live and /ready; 0 for none"
    )
    log_level: str = Field("INFO", title="Least severe level that is logged")
    max_envelopes_per_take: int = Field(10, ge=1, le=100, title="Envelopes worked on together")
    max_packets_per_take: int = Field(
        400, ge=1, le=5000, title="Survey packets worked on together; 400 of 140 KB are 56 MB"
    )
    take_within_s: float = Field(
        0.05, gt=0, le=10, title="Longest wait for more envelopes, seconds"
    )
    progress_timeout_s: float = Field(
        120.0, gt=0, title="Not live if records wait and none is done for so long, seconds"
    )

    def survey_topic_pairs(self) -> list[tuple[str, str]]:
        """``survey_topics`` as pairs of survey and topic.

        Raises
        ------
        ValueError
            If an entry is not ``survey=topic``.
        """
        pairs = []
        for entry in filter(None, (part.strip() for part in self.survey_topics.split(","))):
            survey, equals, topic = entry.partition("=")
            if not (survey and equals and topic):
                raise ValueError(f"TOCSIN_SURVEY_TOPICS: {entry!r} is not survey=topic")
            pairs.append((survey.strip(), topic.strip()))
        return pairs
