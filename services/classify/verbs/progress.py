"""How far a training is: a bar over its steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.classify.classifiers.anomaly import Anomaly
from services.classify.training import anomaly, early_sn_ia
from services.classify.training.recipes import RECIPES
from services.classify.training.unknown_fit import HIDDEN
from services.classify.verbs.choices import say

_GROWING_AND_CALIBRATING = 2


def steps_of(classifier: str, also: int = 0) -> int:
    """How many steps a training says that it has come to, its last line included."""
    if classifier == Anomaly.name:
        return len(anomaly.LOOKS) + 1
    if classifier not in RECIPES:
        return len(early_sn_ia.CUTS) + _GROWING_AND_CALIBRATING
    recipe = RECIPES[classifier]
    hidden = len(HIDDEN) if recipe.knows_unknown else 0
    return len(recipe.looks) + also + _GROWING_AND_CALIBRATING + hidden + 1


@contextmanager
def progress(
    title: str, steps: int, console: Console | None = None
) -> Iterator[Callable[[str], None]]:
    """What training says its steps to: each moves the bar and is printed above it.

    Parameters
    ----------
    title
        Stands before the bar.
    steps
        How many there will be.
    console
        Where to; standard error, if none is given.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        task = bars.add_task(title, total=steps)

        def step(text: str) -> None:
            bars.console.print(text, markup=False, highlight=False)
            bars.advance(task)

        yield step
