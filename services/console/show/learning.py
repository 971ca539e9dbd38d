"""The learning step: nights of the loop that learns, and tonight's list of targets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.telemetry.terminal import as_markup

_PLAIN: dict[str, Any] = {"box": None, "title_justify": "left", "title_style": "bold"}
_EACH = 4


def show_nights(screen: Console, nights: Sequence[Mapping[str, Any]]) -> None:
    """One line a night: how much was known, how good each model was, what the gate said.

    Parameters
    ----------
    nights
        As ``tocsin learn nightly --json`` gives them.
    """
    table = Table(
        title="Accuracy of answers given before their labels came", pad_edge=False, **_PLAIN
    )
    for name in ("night", "objects", "labels", "champion", "challenger", "trees"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("the gate", overflow="fold")
    for one in nights:
        names = ("champion_accuracy", "accuracy", "refitted_accuracy")
        shown = [f"{one[name]:.3f}" if one[name] != "" else "-" for name in names]
        table.add_row(
            str(one["night"]), str(one["alerts"]), str(one["lessons"] or 0), *shown, one["verdict"]
        )
    screen.print(table)


def show_targets(screen: Console, made: Mapping[str, Any], truth: Mapping[str, str]) -> None:
    """The first places of every facility, and how far the picks are from the pool.

    Parameters
    ----------
    made
        As ``tocsin targets make --json`` writes it.
    truth
        What each simulated object really is, by its id.
    """
    places: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in made["targets"]:
        places[one["facility"]].append(one)
    table = Table(title="What to take spectra of tonight", pad_edge=False, **_PLAIN)
    for name in ("rank", "object", "mag", "exposure"):
        table.add_column(name, justify="left" if name == "object" else "right", no_wrap=True)
    table.add_column("why", overflow="fold")
    table.add_column("really", overflow="fold")
    for facility, own in places.items():
        drawn = Counter(one["is_random"] for one in own)[True]
        said = f"{len(own)} places, {drawn} random"
        table.add_row("", f"[bold]{as_markup(facility)}[/]", "", "", said, "")
        for one in own[:_EACH]:
            table.add_row(
                str(one["rank"]), as_markup(one["object_id"]), f"{one['mag_predicted']:.1f}",
                _duration(one["exposure_s"]),
                "drawn at random" if one["is_random"] else as_markup(one["reason"]),
                truth.get(one["object_id"], ""),
            )  # fmt: skip
    screen.print(table)
    bias = made["bias"]
    screen.print(
        f"Random places {bias['random_share']:.0%}, no object on two lists, quotas violated "
        f"{bias['quota_violations']:.0f} times; picks differ from the pool by "
        f"{bias['js_class']:.3f} in class and {bias['js_magnitude']:.3f} in magnitude "
        "(Jensen-Shannon, 0 is alike)."
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{seconds / 60.0:.0f} min"
