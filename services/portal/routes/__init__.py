"""The API's resources: one file each, and one line below.

A file here has ``router = APIRouter(prefix="/<plural>", tags=["<plural>"])``. Its functions take
``backends: BackendsOf``, a caller (``Anyone``, ``SignedIn``, ``Writer``, ``Operator``) and, if they
give a list, ``paging: PagingQuery``; they return pydantic models and raise ``ProblemError``.
What is another's and what is not there are the same 404. The privacy test finds every route by
itself (``tests/integration/services/portal/test_privacy.py``).
"""

from __future__ import annotations

from fastapi import APIRouter

from services.portal.routes import (
    account,
    accounts,
    alerts,
    anomalies,
    cone,
    dead_letters,
    deliveries,
    events,
    filters,
    health,
    labels,
    objects,
    pages,
    registry,
    statistics,
    streams,
    subscriptions,
    tap,
    targets,
)

API_ROUTERS: tuple[APIRouter, ...] = (
    account.router,
    accounts.router,
    cone.router,
    objects.router,
    alerts.router,
    events.router,
    filters.router,
    subscriptions.router,
    deliveries.router,
    labels.router,
    anomalies.router,
    targets.router,
    statistics.router,
    dead_letters.router,
    registry.router,
    streams.router,
    tap.router,
)
"""Below ``/api/v1``."""

ROOT_ROUTERS: tuple[APIRouter, ...] = (health.router, pages.router)
"""At the root: what has its place by a standard of its own."""
