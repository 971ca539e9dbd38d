"""What a subscription's owner may read: the filter, and which surveys."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import RejectedRecordError
from shared.store import Collection, Store
from shared.subscriptions.subscription import Subscription


async def hidden_surveys(
    store: Store, subscription: Subscription, private: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Surveys whose alerts the subscription's owner may not see; most have none.

    Parameters
    ----------
    store
        Where filters and accounts are.
    subscription
        Whose.
    private
        The groups of each private survey.

    Raises
    ------
    RejectedRecordError
        ``not_yours``, if the filter is not the owner's to read. A filter without a document is one
        of the operator's own file, which are for everybody.
    """
    account = await store.find_one(Collection.ACCOUNTS, {"_id": subscription.owner}) or {}
    if account.get("role") == "operator":
        return frozenset()
    groups = frozenset(account.get("groups") or ())
    name = subscription.filter_name
    found = []
    if name is not None:
        fields = ("owner", "group", "visibility")
        found = await store.find(Collection.FILTERS, {"name": name}, fields=fields, limit=1000)
    is_readable = not found or any(
        one.get("visibility") == "public"
        or one.get("owner") == subscription.owner
        or one.get("group") in groups
        for one in found
    )
    if not is_readable:
        raise RejectedRecordError("not_yours", f"the filter {name} is not yours to read")
    return frozenset(survey for survey, whose in private.items() if not whose & groups)
