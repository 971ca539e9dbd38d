"""HTTP: ``POST /notices`` with a notice as the body, answered when Kafka has it."""

from __future__ import annotations

import hmac

from aiohttp import web

from services.mma.receivers.intake import Take
from services.mma.receivers.settings import ReceiverSettings
from shared.schemas.notice import MAX_NOTICE_BYTES

_STATUS = {"taken": 201, "known": 200, "refused": 422}


def application(settings: ReceiverSettings, take: Take) -> web.Application:
    """The application; every request must carry ``Authorization: Bearer <token>``."""
    token = settings.receive_http_token.get_secret_value().encode()

    async def post(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not token or not hmac.compare_digest(given, token):
            return web.json_response({"error": "wrong or missing bearer token"}, status=401)
        try:
            payload = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(
                {"error": f"a notice has at most {MAX_NOTICE_BYTES} bytes"}, status=413
            )
        taken = await take("http", payload)
        answer = {"outcome": taken.outcome, "reason": taken.reason, "detail": taken.detail}
        if taken.notice is not None:
            answer |= {"event_id": taken.notice.event_id, "notice_id": taken.notice.notice_id}
        return web.json_response(answer, status=_STATUS[taken.outcome])

    app = web.Application(client_max_size=MAX_NOTICE_BYTES)
    app.router.add_post("/notices", post)
    return app


async def serve(settings: ReceiverSettings, take: Take) -> web.AppRunner:
    """Listen; stop with ``runner.cleanup()``."""
    runner = web.AppRunner(application(settings, take), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.receive_http_host, settings.receive_http_port).start()
    return runner
