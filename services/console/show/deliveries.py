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
COUNTERPARTS = ("kilonova", "afterglow")
"""Simulated models that belong to an event."""
_FRAMING_BYTES = 5


def show_filters(screen: Console, settings: ServiceSettings) -> None:
    """Count every filter's topic and show its first alerts, decoded with plain fastavro."""
    schema = fastavro.parse_schema(alert_schema())
    table = Table(title="What the filters delivered", **PLAIN)
    for name in ("topic", "object", "RA", "Dec", "band", "mag", "why it matters"):
        table.add_column(name, justify="right" if name in ("RA", "Dec", "mag") else "left")
    with TopicReader(settings) as reader:
        prefix = f"{settings.topic_prefix}{OUT_PREFIX}"
        for topic in (t for t in reader.topics() if t.startswith(prefix)):
            values = [record.value for record in reader.records(reader.extents(topic))]
            short = topic.removeprefix(settings.topic_prefix)
            table.add_row(f"[bold]{short}[/]", f"[bold]{len(values):,} alerts[/]")
            for value in values[:_EACH]:
                body = io.BytesIO(value[_FRAMING_BYTES:])
                alert: Any = fastavro.schemaless_reader(body, schema, None)
                table.add_row("", *_row(alert))
    screen.print(table)


def _row(alert: dict[str, Any]) -> tuple[str, ...]:
    magnitude = float(magnitude_ab_of(abs(alert["flux_njy"] or float("nan"))))
    return (
        as_markup(alert["object_id"]),
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


def show_events(screen: Console, settings: ServiceSettings, truth: dict[str, str]) -> str | None:
    """Show associations and one VOEvent.

    Parameters
    ----------
    screen, settings
        Where to print; the mesh to read.
    truth
        What each simulated object really is, by its id; empty for real packets.

    Returns
    -------
    The object most worth looking at, or None if nothing was associated.
    """
    with TopicReader(settings) as reader:

        def values(topic: Topic) -> list[bytes]:
            extents = reader.extents(topic.named(settings.topic_prefix))
            return [record.value for record in reader.records(extents)]

        associations = [Association.from_json(value) for value in values(Topic.ASSOCIATIONS)]
        voevents = values(Topic.VOEVENTS)
    if not associations:
        return None
    alerts = Counter(a.object_id for a in associations)

    def worth(one: Association) -> tuple[bool, int, float]:
        is_counterpart = truth.get(one.object_id) in COUNTERPARTS
        return not is_counterpart, -alerts[one.object_id], one.credible_level

    objects = {a.object_id: a for a in sorted(associations, key=worth, reverse=True)}
    best = sorted(objects.values(), key=worth)
    table = Table(title=f"Inside an event's region and window: {len(best)} objects", **PLAIN)
    for name in ("object", "alerts", "event", "credible level", "days after", "what it really is"):
        table.add_column(name)
    for one in best[:6]:
        table.add_row(
            one.object_id, str(alerts[one.object_id]), one.event_id, f"{one.credible_level:.3f}",
            f"{one.time_offset_days:+.2f}", truth.get(one.object_id, ""),
        )  # fmt: skip
    screen.print(table)
    screen.print(f"\n[bold]{len(voevents)} VOEvents[/] on the topic voevents; the last:")
    if voevents:
        screen.print(Syntax(voevents[-1].decode()[:1800], "xml", background_color="default"))
    return best[0].object_id
