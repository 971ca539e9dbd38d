"""What the remote enricher measures beyond the common instruments."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.xmatch.remote.enrich import Outcome
from services.xmatch.remote.pacing import BreakerState

_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class RemoteMetrics:
    """Requests by outcome, questions by what became of them, and who is left alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "tocsin_remote_requests",
            "Tries to ask a service, by how they ended",
            ("service", "outcome"),
            registry=registry,
        )
        self._questions = Counter(
            "tocsin_remote_questions",
            "Questions by what became of them",
            ("table", "outcome"),
            registry=registry,
        )
        self._waiting = Gauge(
            "tocsin_remote_questions_waiting", "Open questions", ("table",), registry=registry
        )
        self._breaker = Gauge(
            "tocsin_remote_breaker",
            "Whether a service is asked: 0 closed (yes), 1 half open, 2 open (left alone)",
            ("service",),
            registry=registry,
        )
        self.turned_away = Counter(
            "tocsin_remote_turned_away",
            "Objects that mattered and were not asked about for want of room",
            registry=registry,
        )

    def count(self, table: str, outcome: Outcome, waiting: int, state: BreakerState) -> None:
        """Count one round."""
        counts = {
            "asked": outcome.asked,
            "remembered": outcome.from_memory,
            "given_up": outcome.given_up,
            "postponed": outcome.postponed,
            "updates": outcome.updates,
        }
        for name, number in counts.items():
            self._questions.labels(table, name).inc(number)
        self._waiting.labels(table).set(waiting)
        self._breaker.labels(table.partition("/")[0]).set(_STATES[state])
