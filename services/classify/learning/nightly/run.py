"""One night's work, step by step; killed at any point, the next run goes on from there."""

from __future__ import annotations

from collections.abc import Callable

from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.gate import gate
from services.classify.learning.nightly.source import NightSource
from services.classify.learning.nightly.steps import (
    Progress,
    close,
    freeze,
    refit,
    score,
    update,
    watch,
)

STEPS: tuple[tuple[str, Callable[[Books, NightSource, Progress], None]], ...] = (
    ("freeze", freeze),
    ("score", score),
    ("watch", watch),
    ("update", update),
    ("refit", refit),
    ("gate", gate),
    ("close", close),
)
"""In order. A step is noted as done only when all it writes is in place."""


def run_night(
    books: Books,
    source: NightSource,
    night: int,
    *,
    seed: int = 0,
    after: Callable[[str], None] = lambda _: None,
) -> Progress:
    """Do a night's work, or what is left of it; a night that is done is not done again.

    Parameters
    ----------
    books
        What the loop remembers.
    source
        Alerts and labels.
    night
        MJD of the evening; nights go forward.
    seed
        Of models that are begun anew.
    after
        Called with the name of every step when its files are written, before it is noted.

    Raises
    ------
    ValueError
        If the night is before one that is done, or another night is not finished.
    """
    progress = books.progress() or {
        "night": None, "done": [], "challenger": None, "taught_ms": 0, "nights_done": 0,
        "lessons_before": 0, "seed": seed, "answering_refit": None, "refit_answers_since": 0,
    }  # fmt: skip
    last, finished = progress["night"], "close" in progress["done"]
    if last is not None and (night < last or (night != last and not finished)):
        what = "is done" if finished else "is not finished; run it first"
        raise ValueError(f"night {night} cannot be run: night {last} {what}")
    if last is None or (finished and night > last):
        progress |= {"night": night, "done": [], "as_of_ms": source.end_ms(night)}
        books.note(progress)
    for name, step in STEPS:
        if name in progress["done"]:
            continue
        step(books, source, progress)
        after(name)
        progress["done"] = [*progress["done"], name]
        books.note(progress)
    return progress
