"""Packs nights when they are over: looks now and then, and works in a process of its own.

Packing a night takes seconds of processor and hundreds of megabytes; the worker beside it goes on
keeping what comes in. A kill of either leaves the archive whole.
"""

from __future__ import annotations

import asyncio
import sys

import structlog

log = structlog.get_logger(__name__)
COMMAND = (sys.executable, "-m", "services.archive.verbs.pack", "--quiet")


async def pack_when_due(every_s: float) -> None:
    """Run ``tocsin archive pack`` every so many seconds, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        words = said.decode(errors="replace").strip()[-2000:]
        if process.returncode:
            log.warning("nights_not_packed", status=process.returncode, said=words)
        elif words:
            log.info("nights_packed", said=words.splitlines())
