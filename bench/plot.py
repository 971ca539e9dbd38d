"""The benchmark drawn: CPU per alert by process, and ages over time."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

from bench.report import conditions

_QUANTILE_STYLES = {"p50": "-", "p95": "--", "p99": ":"}
_LETTERS_PER_LINE = 150


def draw(results: dict[str, Any], file: Path) -> None:
    """Write the picture of a run of ``bench.mesh`` to ``file`` (PNG, or what its suffix says)."""
    figure = Figure(figsize=(11, 8.5), layout="constrained")
    cpu, ages = figure.subplots(2, 1, height_ratios=(2, 3))
    _draw_cpu(cpu, results)
    _draw_ages(ages, results)
    figure.suptitle(
        "\n".join(line for part in conditions(results) for line in _wrapped(part)),
        fontsize=7.5, ha="left", x=0.01,
    )  # fmt: skip
    figure.savefig(file, dpi=130)


def _draw_cpu(axes: Any, results: dict[str, Any]) -> None:
    """One stacked bar; processes in the order alerts meet them."""
    micros = results["cpu_us_per_alert"]
    total = sum(micros.values())
    left = 0.0
    colours = [colormaps["tab20"](number) for number in range(20)]
    for number, (name, value) in enumerate(micros.items()):
        axes.barh(0, value, left=left, color=colours[number % len(colours)], label=name)
        if value > 0.03 * total:
            axes.text(left + value / 2, 0, f"{name}\n{value:.0f}", ha="center", va="center",
                      fontsize=7.5)  # fmt: skip
        left += value
    axes.set_yticks([])
    axes.set_xlim(0, total)
    axes.set_xlabel("CPU-µs per alert")
    axes.set_title(
        f"{results['alerts_per_s']:,.0f} alerts/s end to end, {total:,.0f} CPU-µs per alert",
        loc="left", fontsize=11, fontweight="bold",
    )  # fmt: skip
    axes.legend(ncols=len(micros), fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.22),
                frameon=False)  # fmt: skip


def _draw_ages(axes: Any, results: dict[str, Any]) -> None:
    drawn = {place: course for place, course in results["age_over_time_s"].items() if course}
    for number, (place, course) in enumerate(drawn.items()):
        for quantile, style in _QUANTILE_STYLES.items():
            axes.plot(course["t_s"], course[quantile], style, color=f"C{number}", linewidth=1.2,
                      label=place if quantile == "p50" else None)  # fmt: skip
    for quantile, style in _QUANTILE_STYLES.items():
        axes.plot([], [], style, color="black", linewidth=1.2, label=quantile)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("sent by the survey, s from the start")
    axes.set_ylabel("age at the topic, s")
    axes.legend(fontsize=7.5, frameon=False)
    axes.grid(alpha=0.3)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _LETTERS_PER_LINE)
