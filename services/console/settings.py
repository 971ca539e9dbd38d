"""What the console must be told to run a mesh on one machine."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from shared.local.database_server import LocalDatabase
from shared.local.kafka_distribution import find_kafka
from shared.local.kafka_server import LocalKafka
from shared.settings import ServiceSettings

SERVICES = ("ingest", "xmatch", "classify", "mma", "distribute", "archive", "portal")
"""Every service that `tocsin up` can start, in the order alerts meet them."""
FUSED = ("ingest", "xmatch", "classify", "mma")
"""The services that share one process where the mesh is fused."""
RIVER = "river"
"""That process."""
ARCHIVE = "archive"
PORTAL = "portal"
"""The only one that people know the port of."""
OPERATOR_TOKEN_FILE = "operator-token"  # noqa: S105  # where it is, not what it is
"""In the state folder: a token of the portal that may do everything."""
REMOTE = "remote"
"""The worker of xmatch that asks services elsewhere, where it may."""
COURIER = "courier"
"""Carries out the subscriptions that the portal takes."""
VTP = "vtp"
"""The VOEvent broker."""
LEARNING = "learning"
"""Keeps each user's list of anomalies, by the user's votes."""
RECEIVE = "receive"
"""Takes notices in, where it has been told from where."""
MODULES = {
    REMOTE: "services.xmatch.remote",
    LEARNING: "services.classify.learning",
    RECEIVE: "services.mma.receive",
    COURIER: "services.distribute.courier",
    VTP: "services.distribute.vtp",
}
"""Workers whose module is not named as they are."""


_PORTAL_AFTER_BASE = 16
_VTP_AFTER_BASE = 17


class LocalSettings(ServiceSettings):
    """Ports, servers and services of one machine; variables begin with ``TOCSIN_``."""

    external: bool = Field(False, title="Use the Kafka and the database that are already there")
    kafka_port: int = Field(19092, ge=1, le=65535, title="Port of the local Kafka")
    kafka_controller_port: int = Field(
        0, ge=0, le=65535, title="Port of its controller; 0 for kafka_port + 1"
    )
    kafka_heap_mib: int = Field(512, ge=192, title="Java heap of the local Kafka, MiB")
    kafka_retention_hours: int = Field(72, ge=1, title="The local Kafka keeps messages, hours")
    kafka_retention_mib: int = Field(
        4096, ge=64, title="The local Kafka keeps at most, MiB per partition"
    )
    database_port: int = Field(27117, ge=1, le=65535, title="Port of the local database")
    database_cache_mib: int = Field(512, ge=64, title="Cache of the local database, MiB")
    services: str = Field(
        ",".join(SERVICES), title="Services to start, separated by commas, or none"
    )
    fused: bool = Field(
        False,
        title="Run ingest, xmatch, classify and mma in one process",
        description="Alerts are then handed on in memory: less work for a small machine",
    )
    remote_enabled: bool = Field(
        False, title="Start the worker that asks CDS and SIMBAD about alerts that matter"
    )
    learning_enabled: bool = Field(
        False, title="Start the worker that keeps users' lists of anomalies, by their votes"
    )
    gcn_bootstrap_servers: str = Field("", title="Kafka with notices; empty for none")
    vtp_servers: str = Field("", title="VTP brokers to receive notices from; empty for none")
    receive_folder: str = Field("", title="Folder that notices are dropped into; empty for none")
    receive_http_port: int = Field(0, ge=0, le=65535, title="Port of POST /notices; 0 for none")
    receive_http_token: SecretStr = Field(SecretStr(""), title="Its bearer token; off without one")
    inject_every_s: float = Field(0.0, ge=0, title="Seconds between test notices; 0 for none")
    courier_enabled: bool = Field(True, title="Start the courier, which carries out subscriptions")
    vtp_enabled: bool = Field(True, title="Start the VOEvent broker (VTP)")
    vtp_port: int = Field(
        0, ge=0, le=65535, title="Port of VTP's subscribers; 0 for http_port_base + 17"
    )
    workers: str = Field(
        "", title="Processes per service", description="service=number pairs; 1 where not named"
    )
    http_port_base: int = Field(
        19100, ge=1024, le=65000, title="First port of /metrics, /live and /ready"
    )
    portal_port: int = Field(
        0, ge=0, le=65535, title="Port of the portal; 0 for http_port_base + 16"
    )
    ready_patience_s: float = Field(
        300.0, gt=0, title="Longest wait until a service first answers and is ready, seconds"
    )
    drain_patience_s: float = Field(
        30.0, gt=0, title="Longest wait for a service to finish its work, seconds"
    )
    not_live_patience_s: float = Field(
        20.0, gt=0, title="A service that says it is not live is restarted after, seconds"
    )
    silent_patience_s: float = Field(
        120.0, gt=0, title="A service that no longer answers is restarted after, seconds"
    )
    log_limit_mib: int = Field(20, ge=1, title="A log is rotated at, MiB; one old one is kept")

    @field_validator("services", "workers")
    @classmethod
    def _known_services(cls, value: str, info: ValidationInfo) -> str:
        """Refuse a misspelt service at once, by name."""
        names = [entry.partition("=")[0] for entry in _entries(value)]
        known = SERVICES if info.field_name == "services" else (*SERVICES, RIVER)
        unknown = [name for name in names if name not in known and value != "none"]
        if unknown:
            raise ValueError(
                f"{info.field_name}: no service {', '.join(unknown)}; there are {', '.join(known)}"
            )
        if info.field_name == "workers":
            for entry in _entries(value):
                if not 1 <= int(entry.partition("=")[2] or 0) <= 64:
                    raise ValueError(f"workers: {entry!r} is not service=number from 1 to 64")
                if entry.startswith(f"{PORTAL}=") and entry != f"{PORTAL}=1":
                    raise ValueError("workers: the portal is one process, at one port")
        return value

    @model_validator(mode="after")
    def _fused_together_or_not_at_all(self) -> LocalSettings:
        """Refuse half a river: alerts handed on in memory would have nowhere to go."""
        chosen = set(_entries(self.services)) & set(FUSED)
        if self.fused and chosen and chosen != set(FUSED):
            raise ValueError(f"services: fused, {', '.join(FUSED)} run together or not at all")
        return self

    def chosen_services(self) -> tuple[str, ...]:
        """The processes to start, by service, in the order alerts meet them."""
        wanted = set(_entries(self.services))
        chosen = tuple(name for name in SERVICES if name in wanted)
        beside = self._beside(chosen)
        if not self.fused or FUSED[0] not in chosen:
            return (*chosen, *beside)
        return (RIVER, *(name for name in chosen if name not in FUSED), *beside)

    def _beside(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        """Workers that stand beside a service of ``chosen``, where they are wanted."""
        workers = (
            (REMOTE, "xmatch", self.remote_enabled),
            (LEARNING, "classify", self.learning_enabled),
            (RECEIVE, "mma", self.receives_notices()),
            (COURIER, PORTAL, self.courier_enabled),
            (VTP, PORTAL, self.vtp_enabled),
        )
        return tuple(name for name, by, wanted in workers if wanted and by in chosen)

    def receives_notices(self) -> bool:
        """Whether there is anything to receive notices from, test notices among it."""
        return bool(
            self.gcn_bootstrap_servers.strip()
            or self.vtp_servers.strip()
            or self.receive_folder
            or (self.receive_http_port and self.receive_http_token.get_secret_value())
            or self.inject_every_s
        )

    def workers_of(self, service: str) -> int:
        """How many processes of ``service`` to start."""
        pairs = (entry.partition("=") for entry in _entries(self.workers))
        return next((int(number) for name, _, number in pairs if name == service), 1)

    def port_of_portal(self) -> int:
        """The portal's port: the same however many workers there are."""
        return self.portal_port or self.http_port_base + _PORTAL_AFTER_BASE

    def port_of_vtp(self) -> int:
        """The port of VTP's subscribers."""
        return self.vtp_port or self.http_port_base + _VTP_AFTER_BASE

    @property
    def folder(self) -> Path:
        """``state_dir``, absolute."""
        return self.state_dir.absolute()

    @property
    def logs_dir(self) -> Path:
        """One log per process."""
        return self.folder / "logs"

    def local_database(self) -> LocalDatabase:
        """The database server of this machine."""
        return LocalDatabase(
            directory=self.folder / "database",
            port=self.database_port,
            log_file=self.logs_dir / "database.log",
            cache_mib=self.database_cache_mib,
        )

    def local_kafka(self) -> LocalKafka:
        """The broker of this machine; fetches its jars the first time.

        Raises
        ------
        LocalServerError
            If there is no Java, or no jars and no Maven.
        """
        return LocalKafka(
            directory=self.folder / "kafka",
            distribution=find_kafka(),
            port=self.kafka_port,
            controller_port=self.kafka_controller_port or self.kafka_port + 1,
            log_file=self.logs_dir / "kafka.log",
            heap_mib=self.kafka_heap_mib,
            retention_hours=self.kafka_retention_hours,
            retention_mib=self.kafka_retention_mib,
        )

    def aimed_at_local_servers(self) -> LocalSettings:
        """The same, with clients pointed at this machine's servers unless they are external."""
        if self.external:
            return self
        return self.model_copy(
            update={
                "kafka_bootstrap_servers": f"127.0.0.1:{self.kafka_port}",
                "database_uri": SecretStr(self.local_database().uri),
            }
        )

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a process that reads them again."""
        variables = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None:
                continue
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            variables[f"TOCSIN_{name.upper()}"] = text
        return {**variables, "TOCSIN_STATE_DIR": str(self.folder)}


def one_thread_each() -> dict[str, str]:
    """Variables that keep numerical libraries from starting a thread per core in every worker."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR")
    return {f"{name}_NUM_THREADS": os.environ.get(f"{name}_NUM_THREADS", "1") for name in libraries}


def _entries(text: str) -> list[str]:
    """What stands between the commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
