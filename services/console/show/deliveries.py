"""A few alerts of every filter, and the VOEvents."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import fastavro
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from services.console.account.reading import TopicReader
from shared.kafka.topics import OUT_PREFIX, Topic
from shared.light_curves.photometry import magnitude_ab_of
from shared.schemas.association import Association
from shared.schemas.avro.schema import alert_schema
from shared.settings import ServiceSettings
from shared.telemetry.terminal import as_markup

PLAIN: dict[str, Any] = {"box": None, "title_justify": "left", "title_style": "bold"}
_EACH = 2
_LINES = 26
COUNTERPARTS = ("kilonova", "afterglow")
"""Simulated models that belong to an event."""
_FRAMING_BYTES = 5


def show_filters(screen: Console, settings: ServiceSettings, since_ms: int) -> str | None:
    """Count what every filter sent since then, show its first alerts, read with plain fastavro.

    Returns
    -------
    The object that was delivered most often, or None if nothing was.
    """
    schema = fastavro.parse_schema(alert_schema())
    table = Table(title="What the filters delivered", pad_edge=False, **PLAIN)
    for name in ("topic, object", "RA", "Dec", "band", "mag"):
        justify: Any = "right" if name in ("RA", "Dec", "mag") else "left"
        table.add_column(name, justify=justify, no_wrap=True)
    table.add_column("why it matters", overflow="fold")
    objects: Counter[str] = Counter()
    with TopicReader(settings) as reader:
        prefix = f"{settings.topic_prefix}{OUT_PREFIX}"
        for topic in (t for t in reader.topics() if t.startswith(prefix)):
            values = _values(reader, topic, since_ms)
            short = topic.removeprefix(settings.topic_prefix)
            count = f"[bold]{len(values):,} alert{'s' if len(values) != 1 else ''}[/]"
            table.add_row(f"[bold]{short}[/]", "", "", "", "", count)
            for number, value in enumerate(values):
                body = io.BytesIO(value[_FRAMING_BYTES:])
                alert: Any = fastavro.schemaless_reader(body, schema, None)
                objects[alert["object_id"]] += 1
                if number < _EACH:
                    table.add_row(*_row(alert))
    screen.print(table)
    return objects.most_common(1)[0][0] if objects else None


def _values(reader: TopicReader, topic: str, since_ms: int) -> list[bytes]:
    """What was written to ``topic`` at ``since_ms`` (Unix milliseconds) or later."""
    records = reader.records(reader.extents(topic))
    return [record.value for record in records if record.timestamp_ms >= since_ms]


def _row(alert: dict[str, Any]) -> tuple[str, ...]:
    magnitude = float(magnitude_ab_of(abs(alert["flux_njy"] or float("nan"))))
    return (
        f"  {as_markup(alert['object_id'])}",
        f"{alert['ra_deg']:.4f}",
        f"{alert['dec_deg']:+.4f}",
        alert["band"] or "",
        f"{magnitude:.1f}",
        as_markup(", ".join(_reasons(alert))),
    )


def _reasons(alert: dict[str, Any]) -> list[str]:
    reasons = [
        f'{match["source_id"]} {match["separation_arcsec"]:.1f}"'
        for match in (alert["matches"] or [])[:1]
    ]
    verdict = alert.get("early_sn_ia") or {}
    if verdict.get("probability") is not None:
        reasons.append(f"P(Ia) {verdict['probability']:.2f}")
    reasons += [
        f"{a['event_id']} at {a['credible_level']:.0%}" for a in (alert["associations"] or [])[:1]
    ]
    return reasons


def show_events(
    screen: Console, settings: ServiceSettings, truth: dict[str, str], since_ms: int
) -> str | None:
    """Show associations and one VOEvent.

    Parameters
    ----------
    screen, settings
        Where to print; the mesh to read.
    truth
        What each simulated object really is, by its id; empty for real packets.
    since_ms
        Only what was written then or later, Unix milliseconds.

    Returns
    -------
    The object most worth looking at, or None if nothing was associated.
    """
    prefix = settings.topic_prefix
    with TopicReader(settings) as reader:
        found = _values(reader, Topic.ASSOCIATIONS.named(prefix), since_ms)
        told = {a.association_id: a for a in map(Association.from_json, found)}
        # What stands, of real events; test notices find an alert of their own.
        associations = [
            a for a in told.values() if a.state != "withdrawn" and a.event_role == "observation"
        ]
        voevents = _values(reader, Topic.VOEVENTS.named(prefix), since_ms)
    if not associations:
        return None
    alerts = Counter(a.object_id for a in associations)

    def worth(one: Association) -> tuple[bool, int, float]:
        is_counterpart = truth.get(one.object_id) in COUNTERPARTS
        return not is_counterpart, -alerts[one.object_id], one.credible_level

    objects = {a.object_id: a for a in sorted(associations, key=worth, reverse=True)}
    best = sorted(objects.values(), key=worth)
    table = Table(title=f"Inside an event's region and window: {len(best)} objects",
                  pad_edge=False, **PLAIN)  # fmt: skip
    table.add_column("object", no_wrap=True)
    table.add_column("alerts", justify="right")
    table.add_column("event", no_wrap=True)
    for name in ("credible level", "days after"):
        table.add_column(name, justify="right")
    table.add_column("what it really is", overflow="fold")
    for one in best[:6]:
        table.add_row(
            one.object_id, str(alerts[one.object_id]), one.event_id, f"{one.credible_level:.3f}",
            f"{one.time_offset_days:+.2f}", truth.get(one.object_id, ""),
        )  # fmt: skip
    screen.print(table)
    screen.print(f"\n[bold]{len(voevents)} VOEvents[/] on the topic voevents; the last:")
    if voevents:
        lines = voevents[-1].decode().splitlines()
        shown = "\n".join([*lines[:_LINES], "..."][: len(lines)])
        screen.print(Syntax(shown, "xml", background_color="default"))
    return best[0].object_id
