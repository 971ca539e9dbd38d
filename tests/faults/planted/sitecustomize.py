"""Python imports this by itself where its folder is on PYTHONPATH: bugs in unchanged services.

The function that is each service's work raises for every tenth record while the file that
``PLANTED_BUGS`` names holds the service's name. Nothing of the services' own code is changed.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

EVERY = 10
"""Offsets that divide by it carry the bug."""
Offsets = Callable[..., Iterable[int]]
"""Offsets of what a call is about, from its arguments."""


def _of_batch(batch: Any, *_: Any, **__: Any) -> Iterable[int]:
    return batch.integers("origin_offset")  # type: ignore[no-any-return]  # any batch of ours


PLACES: dict[str, tuple[str, str, Offsets]] = {
    "services.ingest.normalise": (
        "ingest", "normalise", lambda packets, *_: [p.offset for p in packets]),
    "services.xmatch.crossmatch": ("xmatch", "crossmatch_or_reject", _of_batch),
    "services.classify.classify": ("classify", "classify", _of_batch),
    "services.mma.correlator": (
        "mma", "Correlator.correlate", lambda _self, batch: _of_batch(batch)),
    "services.distribute.deliver": (
        "distribute", "outgoing_alerts",
        lambda _engine, envelopes, *_: [o for e in envelopes for o in _of_batch(e.batch)]),
    "services.archive.store": (
        "archive", "envelope_document", lambda envelope: [envelope.record.offset]),
}  # fmt: skip
"""Module: the service, its function, and what a call of it is about."""


class PlantedError(Exception):
    """The bug."""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of ``PLACES`` as ever, and has their function wrapped."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in PLACES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _plant(module)

            loader.exec_module = exec_module
        return spec


def _plant(module: ModuleType) -> None:
    service, path, offsets_of = PLACES[module.__name__]
    owner: Any = module
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    sound = getattr(owner, name)

    @functools.wraps(sound)
    def planted(*arguments: Any, **options: Any) -> Any:
        if _is_on(service) and any(o % EVERY == 0 for o in offsets_of(*arguments)):
            raise PlantedError(f"a bug in {service} that some records run into")
        return sound(*arguments, **options)

    setattr(owner, name, planted)


def _is_on(service: str) -> bool:
    try:
        return Path(os.environ["PLANTED_BUGS"]).read_text() == service
    except (KeyError, FileNotFoundError):
        return False


if "PLANTED_BUGS" in os.environ:
    sys.meta_path.insert(0, _Finder())
