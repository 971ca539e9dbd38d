"""An event's life in the demo: its notices one after the other, its candidates after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from services.console.account.reading import TopicReader
from shared.kafka.topics import Topic
from shared.schemas.event import EventRecord
from shared.settings import ServiceSettings
from shared.telemetry.terminal import as_markup

SHOWN = 6
_PLAIN: dict[str, Any] = {"box": None, "title_justify": "left", "title_style": "bold"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story, taken when so much of the night has come and so much time passed."""

    share: float
    """Of the night's alerts, in [0, 1]."""
    after_s: float
    """Since the step before."""
    headline: str
    notice: Path | None = None
    """What is sent; None if the event's candidates are shown."""
    event: str = ""
    """Key of the event that is shown, role and id; ids that were used before carry a date."""


@dataclass
class Story:
    """Steps, and how far it has been told.

    Parameters
    ----------
    steps
        In their order.
    alerts
        Alerts of the night.
    send
        Puts a notice on the topic.
    """

    steps: list[Step]
    alerts: int
    send: Callable[[Path], None]
    _done: int = 0
    _moved_at_s: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether all of it has been told."""
        return self._done >= len(self.steps)

    def go_on(self, ingested: int, *, ended: bool) -> Iterator[Step]:
        """The steps that are due now, carried out.

        Parameters
        ----------
        ingested
            Alerts that have come so far.
        ended
            No more will come: only the pauses are kept.
        """
        while not self.is_over:
            step = self.steps[self._done]
            is_time = time.monotonic() - self._moved_at_s >= step.after_s
            if not is_time or (not ended and ingested < max(1, step.share * self.alerts)):
                return
            if step.notice is not None:
                self.send(step.notice)
            self._done += 1
            self._moved_at_s = time.monotonic()
            yield step


def newest_event(settings: ServiceSettings, key: str, since_ms: int) -> EventRecord | None:
    """The newest line of the event list about an event; None if nothing was written since.

    ``key`` is role and event id; an id that was used before stands with a date behind it.
    """
    found = None
    with TopicReader(settings) as reader:
        topic = Topic.EVENTS.named(settings.topic_prefix)
        for record in reader.records(reader.extents(topic)):
            name = (record.key or b"").decode("utf-8", "replace")
            if record.timestamp_ms >= since_ms and name.partition("@")[0] == key:
                found = EventRecord.from_json(record.value)
    return found


def candidates_table(event: EventRecord, truth: dict[str, str]) -> Table:
    """The event's best candidates, ranked.

    Parameters
    ----------
    event
        A line of the event list.
    truth
        What each simulated object really is, by its id.
    """
    area = "" if event.area_90_deg2 is None else f", 90 % within {event.area_90_deg2:,.0f} deg2"
    table = Table(
        title=f"{event.event_id} ({event.role}): {event.state}, version {event.version}{area}; "
        f"{event.objects} objects stand, {event.withdrawn} alerts withdrawn",
        pad_edge=False,
        show_header=bool(event.candidates),
        **_PLAIN,
    )
    table.add_column("rank", justify="right")
    table.add_column("object", no_wrap=True)
    table.add_column("tier")
    for name in ("level", "days after", "p_local", "ln Bayes"):
        table.add_column(name, justify="right")
    table.add_column("what it really is", overflow="fold")
    for one in event.candidates[:SHOWN]:
        table.add_row(
            str(one.rank), as_markup(one.object_id), one.tier or "", f"{one.credible_level:.3f}",
            _number(one.time_offset_days, "+.2f"), _number(one.p_local, ".2g"),
            _number(one.ln_bayes, "+.1f"), truth.get(one.object_id, ""),
        )  # fmt: skip
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
