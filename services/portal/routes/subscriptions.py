"""``/subscriptions``: what users want sent, and where to; secrets go in and never come out."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Caller, SignedIn, Writer
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.problems import ProblemError, forbidden, not_found
from services.portal.reading.outs import require_readable
from shared.errors import RejectedRecordError
from shared.store import Collection
from shared.subscriptions.channel_settings import check_secret, settings_of
from shared.subscriptions.secrets import Sealer, key_file_of
from shared.subscriptions.subscription import SOURCE_PATTERN, Subscription

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])
MOST_PER_OWNER = 50

Identity = Annotated[
    str, Path(pattern="^[0-9a-f]{12}$", description="Subscription", examples=["0123456789ab"])
]


class SubscriptionGiven(BaseModel):
    """A subscription as its owner gives it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$", title="Its name")
    source: str = Field(
        pattern=SOURCE_PATTERN, title="out.<filter>, voevents, associations or targets",
        examples=["out.bright_new_transients"],
    )  # fmt: skip
    channel: Literal["webhook", "slack", "mail", "tns", "hermes"] = Field(title="By which way")
    settings: dict[str, Any] = Field(
        default_factory=dict, max_length=40, title="What the channel asks for",
        examples=[{"url": "https://example.org/hook"}],
    )  # fmt: skip
    secret: SecretStr | None = Field(
        None, max_length=2000, title="Signing key, API key or address; never shown again"
    )
    group: str | None = Field(None, max_length=64, title="Group whose members may see it too")
    rate_per_minute: int = Field(60, ge=1, le=6000, title="Most deliveries a minute")


class SubscriptionKept(BaseModel):
    """A subscription, without its secret."""

    subscription_id: str = Field(title="Its identity")
    name: str = Field(title="Its name")
    source: str = Field(title="What it is to")
    channel: str = Field(title="By which way")
    settings: dict[str, Any] = Field(title="Of the channel")
    has_secret: bool = Field(title="Whether it has one")
    owner: str = Field(title="Whose it is")
    group: str | None = Field(title="Group that may see it too")
    state: str = Field(title="active or paused")
    reason: str = Field(title="Why it is paused, if not by its owner")
    rate_per_minute: int = Field(title="Most deliveries a minute")
    created_ms: int = Field(title="When it was made, Unix time, milliseconds")


@router.get("")
async def subscriptions(
    caller: SignedIn, backends: BackendsOf, paging: PagingQuery
) -> Page[SubscriptionKept]:
    """The caller's subscriptions and those of the caller's groups."""
    condition, sort = page_after(paging, "_id")
    documents = await backends.store.find(
        Collection.SUBSCRIPTIONS,
        {"$and": [condition, caller.visible(owner=caller.name), {"state": {"$ne": "deleted"}}]},
        sort=sort, limit=paging.limit + 1,
    )  # fmt: skip
    page, cursor = one_page(documents, paging, "_id")
    return Page(items=[_kept(one) for one in page], next_cursor=cursor)


@router.post("", status_code=201)
async def create(
    given: SubscriptionGiven, caller: Writer, backends: BackendsOf
) -> SubscriptionKept:
    """Subscribe: from now on what comes by is delivered."""
    await _require_rights(given, caller, backends)
    secret = given.secret.get_secret_value() if given.secret is not None else None
    try:
        settings = settings_of(given.channel, given.settings)
        check_secret(given.channel, secret)
    except RejectedRecordError as error:
        raise ProblemError(422, error.detail) from error
    if given.channel == "tns" and not caller.is_operator:
        raise forbidden("reports to TNS speak for the broker: an operator sets them up")
    sealer = Sealer.from_file(key_file_of(backends.settings)) if secret else None
    subscription = Subscription(
        subscription_id=secrets.token_hex(6),
        name=given.name,
        source=given.source,
        channel=given.channel,
        settings=settings.model_dump(mode="json"),
        sealed_secret=sealer.seal(secret) if sealer is not None and secret else None,
        owner=caller.name,
        group=given.group,
        rate_per_minute=given.rate_per_minute,
        created_ms=int(time.time() * 1000),
    )
    await backends.store.insert(Collection.SUBSCRIPTIONS, [subscription.to_document()])
    return SubscriptionKept(**subscription.told())


@router.get("/{identity}")
async def show(identity: Identity, caller: SignedIn, backends: BackendsOf) -> SubscriptionKept:
    """One subscription."""
    return _kept(await found(identity, caller, backends))


@router.post("/{identity}/pause")
async def pause(identity: Identity, caller: Writer, backends: BackendsOf) -> SubscriptionKept:
    """Deliver nothing until it is resumed; what comes by meanwhile waits in Kafka."""
    return await _change(identity, caller, backends, "paused")


@router.post("/{identity}/resume")
async def resume(identity: Identity, caller: Writer, backends: BackendsOf) -> SubscriptionKept:
    """Deliver again, beginning with what has waited."""
    document = await found(identity, caller, backends)
    name = Subscription.model_validate(document).filter_name
    if name is not None:
        await require_readable(backends.store, caller, name)
    return await _change(identity, caller, backends, "active")


@router.delete("/{identity}", status_code=204)
async def delete(identity: Identity, caller: Writer, backends: BackendsOf) -> None:
    """End a subscription; its secret is forgotten at once, the record of deliveries stays."""
    await _change(identity, caller, backends, "deleted", sealed_secret=None)


async def found(identity: str, caller: Caller, backends: Backends) -> dict[str, Any]:
    """The document of a subscription that the caller may see; 404 if there is none."""
    documents = await backends.store.find(
        Collection.SUBSCRIPTIONS,
        {"$and": [{"_id": identity}, caller.visible(owner=caller.name),
                  {"state": {"$ne": "deleted"}}]},
        limit=1,
    )  # fmt: skip
    if not documents:
        raise not_found(f"subscription {identity}")
    return documents[0]


async def _require_rights(given: SubscriptionGiven, caller: Caller, backends: Backends) -> None:
    if given.group is not None and given.group not in caller.groups and not caller.is_operator:
        raise forbidden(f"you are not in the group {given.group}")
    if given.source.startswith("out."):
        await require_readable(backends.store, caller, given.source.removeprefix("out."))
    elif backends.settings.private_surveys and not caller.is_operator:
        raise forbidden(f"{given.source} may hold private surveys' alerts: ask an operator")
    own = {"owner": caller.name, "state": {"$ne": "deleted"}}
    if await backends.store.count(Collection.SUBSCRIPTIONS, own) >= MOST_PER_OWNER:
        raise ProblemError(409, f"you have {MOST_PER_OWNER} subscriptions: delete one first")


async def _change(
    identity: str, caller: Caller, backends: Backends, state: str, **more: Any
) -> SubscriptionKept:
    document = await found(identity, caller, backends)
    change = {"state": state, "reason": "", **more}
    await backends.store.update(Collection.SUBSCRIPTIONS, {identity: {"$set": change}})
    return _kept(document | change)


def _kept(document: dict[str, Any]) -> SubscriptionKept:
    return SubscriptionKept(**Subscription.model_validate(document).told())
