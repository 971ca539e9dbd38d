"""Reads labels back from where the archive keeps them: the ``labels`` collection.

The collection is append-only: one document per message of the topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from shared.schemas.label import Label
from shared.store import Collection, Store

MAX_LABELS = 1_000_000
"""Most labels that are read at once."""


async def read_labels(
    store: Store, object_ids: Sequence[str] | None = None, *, as_of_ms: int | None = None
) -> list[Label]:
    """Labels of some objects, or of all; those taken in until ``as_of_ms`` (Unix milliseconds).

    A message that is no label (the topic is open to several writers) is passed over.
    """
    query: dict[str, Any] = {}
    if object_ids is not None:
        query["key"] = {"$in": list(object_ids)}
    if as_of_ms is not None:
        query["fields.taken_ms"] = {"$lte": as_of_ms}
    found = []
    documents = store.stream(Collection.LABELS, query, fields=["value"], limit=MAX_LABELS)
    async for document in documents:
        try:
            found.append(Label.from_json(bytes(document["value"])))
        except ValidationError:
            continue
    return found
