"""Names of Kafka topics. Every one of ours carries the settable prefix (``tocsin.``)."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """The mesh's own topics, without prefix; docs/architecture.md draws who reads and writes."""

    ALERTS = "alerts"
    MATCHED = "alerts.matched"
    CLASSIFIED = "alerts.classified"
    CORRELATED = "alerts.correlated"
    NOTICES = "notices"
    ASSOCIATIONS = "associations"
    COINCIDENCES = "coincidences"
    EVENTS = "events"
    HEARTBEAT = "heartbeat"
    LABELS = "labels"
    TARGETS = "targets"
    VOTES = "votes"
    DEAD_LETTERS = "dead-letters"
    VOEVENTS = "voevents"
    VOEVENTS_RECEIVED = "voevents.received"
    """Packets that authors handed to our VTP broker, byte for byte."""
    GCN_NOTICES = "gcn.notices.tocsin.alert"
    """The same associations as ``voevents``, as GCN's unified JSON."""
    UPDATES = "updates"

    def named(self, prefix: str) -> str:
        """The topic's full name, e.g. ``tocsin.alerts.matched``."""
        return f"{prefix}{self.value}"

    @property
    def is_compacted(self) -> bool:
        """Whether only the newest message of each key counts and is kept."""
        return self is Topic.EVENTS


OUT_PREFIX = "out."
"""``out.<filter>``: one alert per message, for the world."""


def out_topic(filter_name: str, prefix: str) -> str:
    """Full name of a filter's topic, e.g. ``tocsin.out.bright_new_transients``."""
    return f"{prefix}{OUT_PREFIX}{filter_name}"
