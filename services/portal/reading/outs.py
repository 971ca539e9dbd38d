"""The topics of filters, and which of them a caller may read."""

from __future__ import annotations

from services.portal.identity import Caller
from services.portal.problems import not_found
from shared.kafka.topics import OUT_PREFIX
from shared.store import Collection, Store

PUBLIC = "public"


async def may_read(store: Store, caller: Caller, filter_name: str) -> bool:
    """Whether what a filter sends is the caller's to read.

    A filter without a document is one of the operator's own file, which are for everybody.
    """
    found = await store.find(
        Collection.FILTERS, {"name": filter_name}, fields=["owner", "group", "visibility"],
        limit=1000,
    )  # fmt: skip
    return not found or any(
        caller.may_see(
            is_public=one.get("visibility") == PUBLIC, owner=one.get("owner"),
            group=one.get("group"),
        )
        for one in found
    )  # fmt: skip


async def require_readable(store: Store, caller: Caller, filter_name: str) -> None:
    """Refuse a caller who may not read what a filter sends.

    Raises
    ------
    ProblemError
        404, as if there were no such filter.
    """
    if not await may_read(store, caller, filter_name):
        raise not_found(f"stream of filter {filter_name}")


def filter_of_subject(subject: str, topic_prefix: str) -> str | None:
    """The filter whose messages a registry's subject describes; None if it is none of ours."""
    start = f"{topic_prefix}{OUT_PREFIX}"
    if not subject.startswith(start) or not subject.endswith("-value"):
        return None
    return subject.removeprefix(start).removesuffix("-value") or None
