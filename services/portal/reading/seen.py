"""What of an alert a caller may see: whole surveys, and hits of other people's private lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.portal.identity import Caller
from shared.archive.readers import Reader, private_surveys
from shared.schemas.watched import IS_PUBLIC, OWNER
from shared.settings import ServiceSettings


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
        """A record without other people's private hits, under whatever names it has them."""
        return {name: self._seen(value) for name, value in alert.items()}

    def _seen(self, value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [self._seen(one) for one in value if self._may_see_hit(one)]
        return value

    def _may_see_hit(self, hit: dict[str, Any]) -> bool:
        if IS_PUBLIC not in hit or OWNER not in hit:
            return True
        name = self.reader.name
        return bool(hit[IS_PUBLIC]) or (name is not None and hit[OWNER] == name)
