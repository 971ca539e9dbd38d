"""The one error policy of the mesh.

- ``RejectedRecordError``: the record is bad. It is set aside at once, the rest goes on.
- ``UpstreamUnavailableError``: something else is down. Wait, growing, as long as it takes,
  without acknowledging.
- Anything else is a bug. Split the take until the culprit stands alone, set it aside with its
  traceback, go on.
- If even that fails, end the process at once, unacknowledged: the supervisor restarts it, and
  Kafka delivers the take again.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.telemetry.health import Progress

log = structlog.get_logger()
T = TypeVar("T")

EXIT_UNACKNOWLEDGED = 70
"""Exit status (EX_SOFTWARE) of a process that ends so as to acknowledge nothing."""
SHUTDOWN_GRACE_S = 25.0
"""How long a take may go on after SIGTERM; less than Kubernetes' 30 s."""
_FIRST_PAUSE_S = 0.5
_LAST_PAUSE_S = 5.0


class Failure:
    """Why one item was set aside: reason, detail, and the traceback if it was a bug."""

    def __init__(self, error: Exception) -> None:
        if isinstance(error, RejectedRecordError):
            self.reason, self.detail, self.traceback = error.reason, error.detail, None
        else:
            self.reason, self.detail = "bug", repr(error)
            self.traceback = "".join(traceback.format_exception(error))[-8000:]


async def carry_out(
    items: Sequence[T],
    deliver: Callable[[list[T]], Awaitable[None]],
    set_aside: Callable[[T, Failure], Awaitable[None]],
    progress: Progress,
    split_one: Callable[[T], Sequence[T]] = lambda item: (item,),
) -> None:
    """Deliver ``items``, whatever happens, by the policy above.

    Parameters
    ----------
    items
        What was taken together.
    deliver
        The effect; returns only when it is durable. May be asked again for part of ``items``.
    set_aside
        Makes a dead letter of one item; returns only when it is durable.
    progress
        Told while something else is down.
    split_one
        Breaks one item into smaller ones (an envelope into alerts); itself if it cannot.
    """
    if not items:
        return
    try:
        await _until_available(lambda: deliver(list(items)), progress)
    except Exception as error:  # noqa: BLE001  # the mesh's one place where any bug is caught
        parts = list(items) if len(items) > 1 else list(split_one(items[0]))
        if len(parts) == 1:
            failure = Failure(error)
            log.error("record_set_aside", reason=failure.reason, detail=failure.detail,
                      traceback=failure.traceback)  # fmt: skip
            await _until_available(lambda: set_aside(parts[0], failure), progress)
            return
        middle = len(parts) // 2
        for half in (parts[:middle], parts[middle:]):
            await carry_out(half, deliver, set_aside, progress, split_one)


async def _until_available(action: Callable[[], Awaitable[None]], progress: Progress) -> None:
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            await action()
        except UpstreamUnavailableError as error:
            progress.waits_for = str(error)
            log.warning("upstream_unavailable", error=str(error), retry_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)
        else:
            progress.waits_for = None
            return


async def uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Carry ``work`` to its end although the task around it be cancelled.

    Faust acknowledges a take when the loop body is left, in whatever way. So the body is not
    left before the work is done; where it cannot be done the process ends here.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=SHUTDOWN_GRACE_S)
        if not task.done() or task.cancelled() or task.exception() is not None:
            log.critical("unfinished_take_at_shutdown")
            os._exit(EXIT_UNACKNOWLEDGED)
        raise
    except BaseException:
        log.critical("process_ends_unacknowledged", exc_info=True)
        os._exit(EXIT_UNACKNOWLEDGED)
