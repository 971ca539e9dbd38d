"""Keeps the catalogs of a worker up to date: a new version is opened beside the work, then taken.

A thread looks at the pointer files every few seconds. What it finds changed it opens, prepares
and puts in place in one step; the worker reads one attribute per batch and waits for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import names_of, open_catalogs
from services.xmatch.store.versions import current_version

T = TypeVar("T")
log = structlog.get_logger()

Pointers = tuple[tuple[str, str | None], ...]


class Serving(Generic[T]):
    """What is made of the catalogs, always of their current versions.

    ``current`` is what ``prepare`` made of them last; read it once for each batch.
    """

    def __init__(
        self,
        wanted: str,
        folder: Path,
        prepare: Callable[[Sequence[CatalogIndex]], T],
        look_every_s: float = 10.0,
    ) -> None:
        """Open the catalogs that ``wanted`` names (or ``all``) and prepare them.

        Raises
        ------
        ValueError
            If a name is neither registered nor imported.
        """
        self._wanted = wanted
        self._folder = folder
        self._prepare = prepare
        self._look_every_s = look_every_s
        self._pointers = self._read_pointers()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.current: T = prepare(open_catalogs(wanted, folder))

    def follow(self) -> None:
        """Look for new versions from now on, in a thread that ends with the process."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="catalogs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> bool:
        """Take new versions up, if there are any; whether there were."""
        pointers = self._read_pointers()
        if pointers == self._pointers:
            return False
        self.current = self._prepare(open_catalogs(self._wanted, self._folder))
        self._pointers = pointers
        changed = dict(pointers)
        log.info("catalogs_changed", versions={n: v for n, v in changed.items() if v})
        return True

    def _read_pointers(self) -> Pointers:
        names = names_of(self._wanted, self._folder)
        return tuple((name, current_version(self._folder, name)) for name in names)

    def _run(self) -> None:
        while not self._stop.wait(self._look_every_s):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # what is served goes on being served
                log.warning("catalogs_not_renewed", error=str(error))
