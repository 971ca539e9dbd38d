"""What has been classified since the last time: days that were missed, then hours."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.classify.learning.nightly.books import put
from services.classify.learning.tns.client import TnsClient
from services.classify.learning.tns.public_objects import labels_in
from shared.schemas.label import Label

MAX_DAYS = 14
"""Days that are caught up with; for more, import the whole file once."""
Send = Callable[[Sequence[Label]], Awaitable[None]]


def files_due(now: datetime, done: set[str]) -> list[tuple[str, str]]:
    """File and the mark that it was read, oldest first.

    Days are whole (UTC) and appear after midnight; of today every hour that is over has a file,
    under the hour's number, so its mark has the date.
    """
    found = []
    today = now.date()
    for back in range(MAX_DAYS, 0, -1):
        day = (today - timedelta(days=back)).strftime("%Y%m%d")
        found.append((f"tns_public_objects_{day}.csv.zip", day))
    for hour in range(now.hour):
        mark = f"{today:%Y%m%d}-{hour:02d}"
        found.append((f"tns_public_objects_{hour:02d}.csv.zip", mark))
    return [(name, mark) for name, mark in found if mark not in done]


def _read_before(state: Path) -> set[str]:
    """Marks of the files that were read."""
    return set(json.loads(state.read_text())) if state.exists() else set()


async def poll(client: TnsClient, state: Path, send: Send, now: datetime | None = None) -> int:
    """Read what is due and send its labels; returns how many.

    A file is marked as read once its labels are sent. Killed in between, they are sent again,
    and recognised as repeats by their ``label_id``.
    """
    now = now or datetime.now(UTC)
    done = _read_before(state)
    total = 0
    for name, mark in files_due(now, done):
        content = await client.file(name)
        if content is None:
            continue
        labels = list(labels_in(content, int(now.timestamp() * 1000)))
        if labels:
            await send(labels)
        total += len(labels)
        done.add(mark)
        oldest = (now - timedelta(days=MAX_DAYS + 1)).strftime("%Y%m%d")
        put(state, json.dumps(sorted(one for one in done if one >= oldest)).encode())
    return total
