"""The classifiers' panel: each one's probability at each alert, and where it kept silent."""

from __future__ import annotations

from typing import Any

from services.archive.figure.style import FAINT, VERDICT_COLOURS
from shared.archive.history import ObjectHistory


def draw_verdicts(axes: Any, history: ObjectHistory) -> None:
    """A line per classifier; a tick at the foot where it abstained, and why."""
    axes.axhline(0.5, color="#c8ccd3", lw=1, ls=(0, (4, 4)), zorder=1)
    reasons: set[str] = set()
    for number, name in enumerate(history.classifiers):
        colour = VERDICT_COLOURS[number % len(VERDICT_COLOURS)]
        verdicts = [(alert["mjd_tai"], alert[name]) for alert in history.alerts if alert.get(name)]
        given = [(mjd, v["probability"]) for mjd, v in verdicts if v["probability"] is not None]
        silent = [(mjd, v["reason"]) for mjd, v in verdicts if v["probability"] is None]
        times, probabilities = zip(*given, strict=True) if given else ((), ())
        axes.plot(times, probabilities, "-o", ms=4, lw=1.4, color=colour, label=name)
        axes.plot([mjd for mjd, _ in silent], [0.0] * len(silent), "|", ms=9, mew=1.4,
                  color=colour, alpha=0.5)  # fmt: skip
        reasons.update(str(reason).replace("_", " ") for _, reason in silent)
    if reasons:
        axes.text(0.005, 1.02, f"| abstained: {', '.join(sorted(reasons))}", fontsize=8,
                  transform=axes.transAxes, va="bottom", color=FAINT)  # fmt: skip
    axes.set_ylim(-0.07, 1.07)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("probability")
    axes.legend(loc="best")
