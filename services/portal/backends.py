"""What stands behind the portal, opened once per process and handed to every route."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request

from services.portal.accounts import Accounts
from services.portal.limits import Limits
from services.portal.metrics import PortalMetrics
from services.portal.reading.recent import RecentAlerts
from services.portal.reading.topics import KnownTopics
from services.portal.settings import PortalSettings
from services.portal.tap.jobs import Jobs
from shared.kafka.outbox import Outbox
from shared.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Backends:
    """The database, the way out to Kafka, accounts, limits and instruments."""

    settings: PortalSettings
    store: Store
    outbox: Outbox
    accounts: Accounts
    limits: Limits
    metrics: PortalMetrics
    topics: KnownTopics
    jobs: Jobs
    recent: RecentAlerts
    since_s: float
    """When the portal was started, Unix seconds."""

    @property
    def state_dir(self) -> Path:
        """Where the archive's files are, if it runs on this machine."""
        return self.settings.state_dir

    def url_of(self, request: Request) -> str:
        """The portal's address as the caller reaches it, without a slash at the end."""
        return (self.settings.portal_public_url or str(request.base_url)).rstrip("/")

    @classmethod
    def of(cls, settings: PortalSettings) -> Backends:
        """All of them; nothing is connected before it is used."""
        store = open_store(settings)
        limits = Limits(settings)
        return cls(
            settings,
            store,
            Outbox(settings),
            Accounts(store),
            limits,
            PortalMetrics(limits),
            KnownTopics(settings),
            Jobs(settings),
            RecentAlerts(store, settings.state_dir),
            time.time(),
        )

    async def close(self) -> None:
        """Close what was opened."""
        await self.jobs.close()
        await self.outbox.stop()
        self.store.close()


async def _backends(request: Request) -> Backends:
    return cast(Backends, request.app.state.backends)


BackendsOf = Annotated[Backends, Depends(_backends)]
"""What a route takes to reach them: ``backends: BackendsOf``."""
