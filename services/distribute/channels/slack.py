"""Slack-compatible incoming webhook (Slack, Mattermost, Rocket.Chat): a message of a few lines.

Whoever has the URL may write to the room, so the URL is the secret. Text from outside is escaped
as https://docs.slack.dev/messaging/formatting-message-text asks, so it can mention nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import orjson
from pydantic import TypeAdapter, ValidationError

from services.distribute.channels.base import Destination, Outcome, Parcel
from services.distribute.channels.http_post import HttpPost
from services.distribute.peers.wording import summary
from shared.subscriptions.addresses import HttpUrl
from shared.subscriptions.channel_settings import SlackSettings

_URL: TypeAdapter[str] = TypeAdapter(HttpUrl)


def escaped(text: str) -> str:
    """Without anything that Slack would read as markup, a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(settings: SlackSettings, parcels: Sequence[Parcel]) -> bytes:
    """The body for some alerts: a title, and a line for each."""
    lines = [escaped(settings.title)]
    for parcel in parcels:
        line = "• " + escaped(summary(parcel.document))
        if settings.link and parcel.object_id:
            url = settings.link.replace("{object_id}", quote(parcel.object_id, safe=""))
            url = url.replace("{alert_id}", quote(parcel.subject, safe=""))
            line += f" <{escaped(url).replace('|', '%7C')}|page>"
        lines.append(line)
    return orjson.dumps({"text": "\n".join(lines), "unfurl_links": False})


class SlackChannel(HttpPost):
    """Posts up to ten alerts as one message. After a crash a message may come twice."""

    name = "slack"
    most_at_once = 10

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """See ``channels.base``."""
        assert isinstance(to.settings, SlackSettings)  # noqa: S101  # by the registry of settings
        try:
            url = _URL.validate_python(to.secret.get_secret_value() if to.secret else "")
        except ValidationError:
            return [Outcome("failed", "the secret is no http or https URL")] * len(parcels)
        return [await self.post(url, message(to.settings, parcels), {})] * len(parcels)
