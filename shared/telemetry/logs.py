"""Logs: structlog, one JSON object a line, on standard error. INFO is for the life cycle only."""

from __future__ import annotations

import logging
import sys

import orjson
import structlog
from structlog.typing import EventDict, Processor


def _to_json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=repr).decode()


def configure_logs(service: str, level: str = "INFO") -> None:
    """Send structlog's and the standard library's records through one JSON formatter.

    Parameters
    ----------
    service
        Written into every line as ``service``.
    level
        Least severe level that is written: DEBUG, INFO, WARNING, ERROR.
    """
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("faust", "mode", "aiokafka", "aiohttp.access", "httpx", "httpcore", "numba"):
        logging.getLogger(chatty).setLevel("WARNING" if level == "INFO" else level)
    structlog.contextvars.bind_contextvars(service=service)
