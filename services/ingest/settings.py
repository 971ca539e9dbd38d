"""What ingest must be told beyond what every service must."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """Settings of ingest; the survey topics are common to all services."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    ingest_schema_registry_url: str = Field(
        "",
        title="Confluent Schema Registry of the survey",
        description="Empty: LSST's schema numbers mean Rubin's official schemas",
    )
    ingest_schema_registry_user: str = Field("", title="User name at the registry, if it wants one")
    ingest_schema_registry_password: SecretStr = Field(
        SecretStr(""), title="Password at the registry"
    )
    ingest_duplicate_window: int = Field(
        1_000_000,
        ge=1000,
        le=50_000_000,
        title="Alerts remembered so that duplicates are recognised; 50 bytes each",
    )
    ingest_recall_s: float = Field(
        10.0,
        ge=0,
        le=600,
        title="Longest reading of what was sent before a restart, seconds",
        description="so that a repeat across a restart is recognised too; 0 for not at all",
    )

    @field_validator("ingest_schema_registry_url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        """The URL stands in logs and dead letters."""
        if "@" in urlsplit(url).netloc:
            raise ValueError("no user or password in the URL: they have settings of their own")
        return url
