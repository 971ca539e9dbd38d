"""What of an alert a caller may see: whole surveys, and hits of other people's private lists."""

from __future__ import annotations

from collections.abc import Collection as Container
from dataclasses import dataclass
from typing import Any

from services.portal.callers import Caller
from shared.archive.readers import Reader, private_surveys
from shared.schemas.watched import IS_PUBLIC, OWNER, WATCHED
from shared.settings import ServiceSettings

_HITS = tuple(field.name for field in WATCHED)


@dataclass(frozen=True, slots=True)
class Sight:
    """The eyes of one caller."""

    reader: Reader
    private: dict[str, frozenset[str]]
    """Groups that each private survey is for."""

    @classmethod
    def of(cls, caller: Caller, settings: ServiceSettings) -> Sight:
        """What this caller may see under these settings."""
        reader = Reader(caller.name or None, caller.groups, caller.is_operator)
        return cls(reader, private_surveys(settings.private_surveys))

    def sees(self, survey: str | None) -> bool:
        """Whether alerts of a survey are the caller's to see; of no survey, they are."""
        return survey is None or self.reader.may_see(survey, self.private)

    @property
    def hidden_surveys(self) -> list[str]:
        """Surveys that the caller may not see."""
        return sorted(survey for survey in self.private if not self.sees(survey))

    def only_seen(self, field: str) -> dict[str, Any]:
        """MongoDB condition for documents whose ``field`` is a survey the caller may see."""
        hidden = self.hidden_surveys
        return {field: {"$nin": hidden}} if hidden else {}

    def of_alert(self, alert: dict[str, Any]) -> dict[str, Any]:
        """An alert without other people's private hits."""
        kept = {name: self._own(alert[name]) for name in _HITS if alert.get(name)}
        return {**alert, **kept}

    def _own(self, hits: Container[dict[str, Any]]) -> list[dict[str, Any]]:
        name = self.reader.name
        return [
            hit
            for hit in hits
            if hit.get(IS_PUBLIC) or (name is not None and hit.get(OWNER) == name)
        ]
