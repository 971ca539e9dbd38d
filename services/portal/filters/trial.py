"""A filter tried on what is there: the archive's nights, and tonight's envelopes."""

from __future__ import annotations

from typing import Any

from services.portal.backends import Backends
from services.portal.filters.backtest import BacktestFailedError
from services.portal.filters.backtest_process import run_backtest_apart
from services.portal.problems import ProblemError
from shared.archive.readers import private_surveys
from shared.filters.guard import Limits
from shared.filters.user_filter import UserFilter
from shared.store import Collection, Store

_MOST_BYTES = 128 * 2**20
"""Of tonight's envelopes: some tens of thousands of alerts."""


async def tried(each: UserFilter, backends: Backends, nights: int) -> dict[str, Any]:
    """Backtest a filter on the last nights and on tonight.

    Raises
    ------
    FilterRefusedError
        If the filter is not acceptable.
    ProblemError
        422, if it fails on what is there.
    """
    settings = backends.settings
    envelopes = await _tonight(backends.store, each.survey, settings.portal_backtest_envelopes)
    limits = Limits(settings.portal_backtest_memory_mib, settings.portal_backtest_batch_seconds)
    try:
        return await run_backtest_apart(
            each,
            state_dir=settings.state_dir,
            nights=nights,
            surveys=[each.survey] if each.survey else [],
            envelopes=envelopes,
            private_surveys=private_surveys(settings.private_surveys),
            limits=limits,
            seconds=settings.portal_backtest_seconds,
        )
    except BacktestFailedError as error:
        raise ProblemError(422, str(error)) from error


async def _tonight(store: Store, survey: str | None, most: int) -> list[tuple[str, bytes]]:
    """The newest envelopes of the newest night in the database, at most so many."""
    only = {} if survey is None else {"survey": survey}
    newest = await store.find(
        Collection.ENVELOPES, {**only, "night": {"$ne": None}}, fields=["night"],
        sort=[("night", -1)], limit=1,
    )  # fmt: skip
    if not newest:
        return []
    found = store.stream(
        Collection.ENVELOPES, {**only, "night": newest[0]["night"]}, fields=["survey", "batch"],
        sort=[("timestamp_ms", -1)], limit=most,
    )  # fmt: skip
    envelopes: list[tuple[str, bytes]] = []
    size = 0
    async for document in found:
        envelopes.append((document["survey"], bytes(document["batch"])))
        size += len(document["batch"])
        if size > _MOST_BYTES:
            break
    return envelopes
