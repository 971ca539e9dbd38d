"""An object's history in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.archive.wording import (
    association_words,
    decimal_degrees,
    magnitude_words,
    match_words,
    sexagesimal,
    span_words,
    update_words,
    utc_of,
)
from shared.archive.associations import distinct_associations, is_standing
from shared.archive.history import ObjectHistory, distinct_matches
from shared.light_curves.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from shared.telemetry.terminal import as_markup, visible

_BAND_COLOURS = {"u": "blue", "g": "green", "r": "red", "i": "yellow", "z": "magenta", "y": "cyan"}
_BAR = " ▁▂▃▄▅▆▇█"


def print_summary(history: ObjectHistory, *, last: int | None = 20) -> None:
    """Write who it is, what lies there, what it was called, and its ``last`` alerts (None: all)."""
    console = Console()
    parts = [_identity(history), _photometry(history)]
    if history.associations:
        parts.append(_associations(history))
    console.print(
        Panel(
            Group(*parts),
            title=Text(visible(history.object_id), style="bold"),
            title_align="left",
            border_style="dim",
            box=box.ROUNDED,
            padding=(1, 2),
        )
    )
    console.print()
    console.print(_alerts(history, last))
    if last is not None and len(history.alerts) > last:
        hidden = len(history.alerts) - last
        console.print(f"[dim]{hidden} earlier alerts not listed: --all[/]")


def _identity(history: ObjectHistory) -> RenderableType:
    latest = history.latest
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", justify="right")
    facts.add_column()
    place = latest["ra_deg"], latest["dec_deg"]
    facts.add_row("position", f"{sexagesimal(*place)}   [dim]{decimal_degrees(*place)}[/]")
    simulated = "   [bold yellow]simulated[/]" if latest["is_simulated"] else ""
    facts.add_row("survey", f"{history.survey.upper()}{simulated}")
    facts.add_row("alerts", span_words(history))
    if latest["is_solar_system"]:
        facts.add_row("", "[yellow]a known solar-system body[/]")
    matches = distinct_matches(history)
    for number, match in enumerate(matches[:6]):
        facts.add_row("matches" if number == 0 else "", Text(visible(match_words(match))))
    if matches[6:]:
        facts.add_row("", f"[dim]and {len(matches) - 6} more[/]")
    if not matches:
        facts.add_row("matches", "[dim]none[/]")
    for update in history.updates[-4:]:
        facts.add_row(as_markup(update.source), Text(visible(update_words(update))))
    for name in history.classifiers:
        facts.add_row(name, _verdict_course(history, name))
    return facts


def _verdict_course(history: ObjectHistory, name: str) -> Text:
    """The latest answer of a classifier, and its course as a row of bars."""
    verdicts = [alert[name] for alert in history.alerts if alert.get(name)]
    given = [v["probability"] for v in verdicts if v["probability"] is not None]
    if not given:
        return Text(f"no verdict: {verdicts[-1]['reason'].replace('_', ' ')}", style="dim")
    bars = "".join(_BAR[round(p * (len(_BAR) - 1))] for p in given[-40:])
    return Text.assemble((f"{given[-1]:.2f}", "bold"), "   ", (bars, "cyan"),
                         (f"   {len(given)} of {len(verdicts)} alerts judged", "dim"))  # fmt: skip


def _photometry(history: ObjectHistory) -> RenderableType:
    curve = history.light_curve
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for heading in ("band", "det.", "forced", "limits", "brightest", "from", "to"):
        table.add_column(heading, justify="left" if heading == "band" else "right", no_wrap=True)
    for code, band in enumerate(BANDS):
        at = curve.band == code
        if not at.any():
            continue
        detected = at & (curve.kind == DETECTION)
        row = np.flatnonzero(detected)
        peak = row[np.argmax(curve.flux_njy[row])] if row.size else None
        table.add_row(
            Text(band, style=f"bold {_BAND_COLOURS[band]}"),
            *(str(int(np.sum(at & (curve.kind == kind)))) for kind in
              (DETECTION, FORCED, UPPER_LIMIT)),
            "–" if peak is None else
            magnitude_words(float(curve.flux_njy[peak]), float(curve.flux_err_njy[peak])),
            utc_of(curve.mjd_tai[at].min()).date().isoformat(),
            utc_of(curve.mjd_tai[at].max()).date().isoformat(),
        )  # fmt: skip
    return table


def _associations(history: ObjectHistory) -> RenderableType:
    """What stands first; what was withdrawn is told last, and faint."""
    return Group(
        *(
            Text(
                f"⚑ {visible(association_words(one))}",
                style="magenta" if is_standing(one) else "dim",
            )
            for one in distinct_associations(history.associations)
        )
    )


def _alerts(history: ObjectHistory, last: int | None) -> Table:
    """The alerts, narrow enough for 80 columns and a whole Rubin identifier."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", show_edge=False, padding=0)
    table.add_column("alert", style="dim", no_wrap=True)
    table.add_column("UTC", no_wrap=True)
    table.add_column("band")
    table.add_column("AB mag", justify="right", no_wrap=True)
    table.add_column("reliability", justify="right")
    table.add_column("verdict", justify="right", no_wrap=True)
    for alert in history.alerts if last is None else history.alerts[-last:]:
        band = alert["band"] or "–"
        table.add_row(
            as_markup(alert["alert_id"]),
            utc_of(alert["mjd_tai"]).strftime("%Y-%m-%d %H:%M"),
            Text(band, style=_BAND_COLOURS.get(band, "")),
            magnitude_words(alert["flux_njy"], alert["flux_err_njy"]),
            "–" if alert["reliability"] is None else f"{alert['reliability']:.2f}",
            _short_verdict({name: alert.get(name) for name in history.classifiers}),
        )
    return table


def _short_verdict(verdicts: Mapping[str, dict[str, Any] | None]) -> str:
    """The class of the first classifier that names one, else the first answer; all are above."""
    answers = {n: v for n, v in verdicts.items() if v and v["probability"] is not None}
    for verdict in answers.values():
        if verdict.get("class"):
            return f"{visible(verdict['class'])} {verdict['probability']:.2f}"
    return next((f"{n} {v['probability']:.2f}" for n, v in answers.items()), "–")
