"""A folder: notices put there are taken and moved to ``taken`` or ``refused`` within it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from services.mma.notice_files import NOTICE_SUFFIXES
from services.mma.receivers.intake import Take
from shared.schemas.notice import MAX_NOTICE_BYTES

_LOOK_EVERY_S = 1.0
_SETTLED_S = 0.5
"""A file still being written has just changed."""


async def receive(folder: Path, take: Take) -> None:
    """Follow the folder for ever. A file is moved only after Kafka has what was in it."""
    for name in ("taken", "refused"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    while True:
        for path in await asyncio.to_thread(_waiting, folder):
            payload = await asyncio.to_thread(_read, path)
            taken = await take(f"file://{path.name}", payload)
            into = "refused" if taken.outcome == "refused" else "taken"
            await asyncio.to_thread(path.replace, folder / into / path.name)
        await asyncio.sleep(_LOOK_EVERY_S)


def _waiting(folder: Path) -> list[Path]:
    before = time.time() - _SETTLED_S
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name.endswith(NOTICE_SUFFIXES) and path.stat().st_mtime < before
    ]


def _read(path: Path) -> bytes:
    """One byte more than is allowed, so that too much is seen as too much."""
    with path.open("rb") as file:
        return file.read(MAX_NOTICE_BYTES + 1)
