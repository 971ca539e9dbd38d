"""Schemas with ids, as a Confluent Schema Registry knows them; ids follow from the schemas.

The alert's own schema has its version as its id. Every other id is made from the schema's text, so
distribute, which writes messages, and the portal, which serves the registry's API, need not ask
each other. What was ever used is kept in the collection ``schemas``, one document per schema.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.schemas.avro.schema import SCHEMA_FILE, SCHEMA_ID, SCHEMA_NAME

_LEAST_MADE_ID = 1 << 20
"""Ids below are versions of the alert."""


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema and its id."""

    id: int
    name: str
    """What messages say in their header ``schema``."""
    text: str
    """Avro, JSON."""

    def document(self, subject: str, registered_ms: int) -> dict[str, Any]:
        """The document of the collection ``schemas``: ``subject`` is ``<topic>-value``."""
        return {
            "_id": f"{subject}/{self.id}",
            "id": self.id,
            "subject": subject,
            "name": self.name,
            "schema": self.text,
            "registered_ms": registered_ms,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RegisteredSchema:
        """The schema of a document."""
        return cls(int(document["id"]), str(document["name"]), str(document["schema"]))


def made_schema(name: str, text: str) -> RegisteredSchema:
    """A schema with the id that follows from its text: 31 bits of its SHA-256, not negative."""
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return RegisteredSchema(_LEAST_MADE_ID + digest % ((1 << 31) - _LEAST_MADE_ID), name, text)


def alert_registered() -> RegisteredSchema:
    """The schema of whole alerts."""
    return RegisteredSchema(SCHEMA_ID, SCHEMA_NAME, SCHEMA_FILE.read_text(encoding="utf-8"))


def subject_of(topic: str) -> str:
    """The registry's name for what the values of a topic look like (TopicNameStrategy)."""
    return f"{topic}-value"
