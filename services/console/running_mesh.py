"""What `tocsin up` started last, so that other commands find it without being told again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from services.console.settings import LocalSettings
from shared.local.server_process import LOOPBACK

_FILE = "mesh.json"


@dataclass(frozen=True)
class RunningMesh:
    """Where the servers of the running mesh are; written by up, removed by down."""

    external: bool
    kafka_bootstrap_servers: str
    database_uri: str | None
    """None where the database is external: its URI may hold a password, and stays off the disk."""
    topic_prefix: str
    partitions: int
    http_port_base: int
    fused: bool = False
    portal_url: str | None = None

    @classmethod
    def of(cls, settings: LocalSettings) -> RunningMesh:
        """The mesh that ``settings`` describe."""
        uri = None if settings.external else settings.database_uri.get_secret_value()
        return cls(
            external=settings.external,
            kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
            database_uri=uri,
            topic_prefix=settings.topic_prefix,
            partitions=settings.partitions,
            http_port_base=settings.http_port_base,
            fused=settings.fused,
            portal_url=f"http://{LOOPBACK}:{settings.port_of_portal()}",
        )

    @classmethod
    def read(cls, folder: Path) -> RunningMesh | None:
        """The mesh of this state folder, or None if none was started."""
        try:
            return cls(**json.loads((folder / _FILE).read_text()))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Remember it in this state folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove what `write` wrote."""
        (folder / _FILE).unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """Variables that point clients at this mesh; what the user has set comes first."""
        values = {
            "TOCSIN_EXTERNAL": str(self.external),
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "TOCSIN_TOPIC_PREFIX": self.topic_prefix,
            "TOCSIN_PARTITIONS": str(self.partitions),
            "TOCSIN_HTTP_PORT_BASE": str(self.http_port_base),
            "TOCSIN_FUSED": str(self.fused),
        }
        if self.database_uri is not None:
            values["TOCSIN_DATABASE_URI"] = self.database_uri
        if self.portal_url is not None:
            values["TOCSIN_PORTAL_URL"] = self.portal_url
        return {name: value for name, value in values.items() if name not in os.environ}


def settings_of(settings: LocalSettings, mesh: RunningMesh | None) -> LocalSettings:
    """``settings`` pointed at ``mesh``; as they are if there is none."""
    if mesh is None:
        return settings
    known: dict[str, object] = {
        "kafka_bootstrap_servers": mesh.kafka_bootstrap_servers,
        "topic_prefix": mesh.topic_prefix,
        "partitions": mesh.partitions,
        "fused": mesh.fused,
    }
    if mesh.database_uri is not None:
        known["database_uri"] = SecretStr(mesh.database_uri)
    return settings.model_copy(update=known)


def mesh_settings() -> LocalSettings:
    """Settings pointed at the running mesh, or at whatever the environment says if none runs."""
    settings = LocalSettings()
    mesh = RunningMesh.read(settings.folder)
    return settings.aimed_at_local_servers() if mesh is None else settings_of(settings, mesh)
