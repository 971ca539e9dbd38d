"""``/live``, ``/ready`` and ``/metrics``, as every service has them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from services.portal.backends import BackendsOf
from services.portal.callers import AnyCaller, address_of
from services.portal.problems import not_found
from services.portal.settings import is_loopback

router = APIRouter(include_in_schema=False)


@router.get("/live")
async def live() -> dict[str, object]:
    """The portal holds no queue: it is live if it answers."""
    return {"live": True, "stuck": [], "waits_for": None}


@router.get("/ready")
async def ready(request: Request) -> Response:
    """Whether the portal has started."""
    is_ready = bool(request.app.state.is_ready)
    return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)


@router.get("/metrics")
async def metrics(request: Request, backends: BackendsOf, caller: AnyCaller) -> Response:
    """Prometheus' text format, for this machine and for operators."""
    if not is_loopback(address_of(request)) and not caller.is_operator:
        raise not_found("page /metrics")
    return Response(generate_latest(backends.metrics.registry), media_type=CONTENT_TYPE_LATEST)
