"""TNS: discovery (AT) and classification reports to the Transient Name Server, by a bot.

A report cannot be taken back. So an object is reported once per subscription; before every report
TNS is asked whether it knows the object by its internal name; and a report that was cut off is
looked for, after the time that TNS may need to show it, before it is made again. The sandbox is
the default; the real TNS needs the subscription's ``live`` and the operator's consent.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.distribute.channels.base import Destination, Outcome, Parcel, PeerAwayError
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.guarded_http import GuardedHttp
from services.distribute.peers.tns_api import LIVE_URL, SANDBOX_URL, Bot, TnsApi
from services.distribute.peers.tns_reports import (
    at_report,
    classification_report,
    internal_name,
)
from shared.errors import RejectedRecordError
from shared.subscriptions.channel_settings import ChannelSettings, TnsSettings


class TnsChannel:
    """Reports up to ten objects at once."""

    name = "tns"
    most_at_once = 10
    once_per_object = True

    def __init__(self, settings: CourierSettings) -> None:
        allow = settings.courier_allow_private or bool(settings.tns_url)
        self._api = TnsApi(GuardedHttp(settings.courier_timeout_s, allow_private=allow))
        self._trial_url = settings.tns_url
        self._may_be_live = settings.tns_live
        self.doubt_s = settings.tns_doubt_s

    def waits_s(self, settings: ChannelSettings) -> float:
        """At once: a name is first come, first served."""
        return 0.0

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """See ``channels.base``."""
        settings, bot, url = self._terms(to)
        if url is None:
            words = "the operator does not allow the real TNS (TOCSIN_TNS_LIVE)"
            return [Outcome("failed", words)] * len(parcels)
        if bot is None:
            return [Outcome("failed", "no API key")] * len(parcels)
        try:
            if settings.report == "classification":
                return [await self._classify(settings, bot, url, p) for p in parcels]
            return await self._report(settings, bot, url, parcels)
        except RejectedRecordError as error:
            return [Outcome("failed", str(error))] * len(parcels)

    async def _report(
        self, settings: TnsSettings, bot: Bot, url: str, parcels: Sequence[Parcel]
    ) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        entries = {}
        for number, parcel in enumerate(parcels):
            try:
                entry = at_report(settings, parcel.document)
            except RejectedRecordError as error:
                outcomes[number] = Outcome("failed", str(error))
                continue
            known = await self._api.search(url, bot, entry["internal_name"])
            if known is not None:
                outcomes[number] = Outcome("confirmed", f"TNS knows it as {known}", known)
            else:
                entries[number] = entry
        if entries:
            report = {"at_report": {str(n): e for n, e in enumerate(entries.values())}}
            report_id = await self._api.send_report(url, bot, report)
            for place, number in enumerate(entries):
                outcomes[number] = Outcome("sent", reference=f"{report_id}/{place}")
        return [outcomes[number] for number in range(len(parcels))]

    async def _classify(self, settings: TnsSettings, bot: Bot, url: str, parcel: Parcel) -> Outcome:
        try:
            classification_report(settings, parcel.document, "")
            file_name = f"{parcel.idempotency_key}.ascii"
            text = str(parcel.document["spectrum"]["ascii"])
            uploaded = await self._api.upload(url, bot, file_name, text)
            report = classification_report(settings, parcel.document, uploaded)
            report_id = await self._api.send_report(
                url, bot, {"classification_report": {"0": report}}
            )
        except RejectedRecordError as error:
            return Outcome("failed", str(error))
        return Outcome("sent", reference=f"{report_id}/0")

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """Ask after reports that were handed in; look for objects whose report was cut off."""
        settings, bot, url = self._terms(to)
        if bot is None or url is None:
            return [Outcome("failed", "no API key, or TNS is not allowed")] * len(parcels)
        replies: dict[str, list[Outcome] | None] = {}
        answers: list[Outcome | None] = []
        for parcel in parcels:
            if not parcel.reference:
                answers.append(await self._seek(settings, bot, url, parcel))
                continue
            report_id, _, place = parcel.reference.partition("/")
            if report_id not in replies:
                replies[report_id] = await self._api.reply(url, bot, report_id)
            entries = replies[report_id]
            if not entries:
                answers.append(None)
            else:  # a report that is refused as a whole has one entry for all
                answers.append(entries[min(int(place or 0), len(entries) - 1)])
        return answers

    async def _seek(
        self, settings: TnsSettings, bot: Bot, url: str, parcel: Parcel
    ) -> Outcome | None:
        """Whether a report that was cut off has arrived."""
        if settings.report == "classification":
            # TNS tells nobody which classification reports it has: a person must look.
            return Outcome("failed", "cut off while it was sent: look at TNS before sending anew")
        if not parcel.document.get("object_id"):
            return None
        try:
            known = await self._api.search(url, bot, internal_name(parcel.document))
        except RejectedRecordError as error:
            raise PeerAwayError(str(error)) from error
        return None if known is None else Outcome("confirmed", f"found as {known}", known)

    def _terms(self, to: Destination) -> tuple[TnsSettings, Bot | None, str | None]:
        """Settings, bot, and the TNS to speak to; None where there is no key, or no consent."""
        settings = to.settings
        assert isinstance(settings, TnsSettings)  # noqa: S101  # by the registry of settings
        key = to.secret.get_secret_value() if to.secret is not None else ""
        bot = Bot(settings.bot_id, settings.bot_name, key) if key else None
        if self._trial_url:
            return settings, bot, self._trial_url.rstrip("/")
        if settings.live:
            return settings, bot, LIVE_URL if self._may_be_live else None
        return settings, bot, SANDBOX_URL

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
