"""The two kinds of failure a stage may name; everything else is a bug.

``shared.kafka.consume`` decides what happens to each (see docs/architecture.md).
"""

from __future__ import annotations


class TocsinError(Exception):
    """Base of every error Tocsin raises on purpose."""


class RejectedRecordError(TocsinError):
    """The record itself is bad: it goes to ``dead-letters`` at once, the rest goes on.

    ``reason`` is a short snake_case word that metrics may count by
    (``truncated``, ``unknown_schema``); ``detail`` says what, where and how to mend it.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class UpstreamUnavailableError(TocsinError):
    """Something else is down: wait and retry, without acknowledging, for as long as it takes."""
