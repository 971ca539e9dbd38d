"""E-mail: a digest through the operator's SMTP server.

The same alerts make the same Message-ID, by which mail programs drop a digest that came twice
after a crash in the moment of sending.
"""

from __future__ import annotations

import asyncio
import email.policy
import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage

from services.distribute.channels.base import Destination, Outcome, Parcel, PeerAwayError
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.wording import plain, summary
from shared.subscriptions.channel_settings import ChannelSettings, MailSettings

_PERMANENT = range(500, 600)


def digest(settings: MailSettings, sender: str, parcels: Sequence[Parcel]) -> EmailMessage:
    """The mail about some alerts, plain text.

    Nothing of an alert gets into a header, and the library refuses line ends in those.
    """
    mail = EmailMessage(policy=email.policy.SMTP)
    count = len(parcels)
    mail["Subject"] = f"{settings.subject}: {count} alert{'s' if count > 1 else ''}"
    mail["From"] = sender
    mail["To"] = ", ".join(settings.to)
    identity = hashlib.sha256("\n".join(sorted(p.idempotency_key for p in parcels)).encode())
    mail["Message-ID"] = f"<{identity.hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Precedence"] = "list"
    lines = [f"{plain(p.source)}  {summary(p.document)}" for p in parcels]
    mail.set_content("\n".join(lines) + "\n", cte="quoted-printable")
    return mail


class MailChannel:
    """Sends a digest when the first alert has waited long enough, or there are many."""

    name = "mail"
    most_at_once = 200
    once_per_object = False
    doubt_s = 0.0

    def __init__(self, settings: CourierSettings) -> None:
        self._server = settings.mail_smtp
        self._sender = settings.mail_from
        self._tls = settings.mail_tls
        self._timeout_s = settings.courier_timeout_s

    def waits_s(self, settings: ChannelSettings) -> float:
        """What the subscription says."""
        assert isinstance(settings, MailSettings)  # noqa: S101  # by the registry of settings
        return 60.0 * settings.every_minutes

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """See ``channels.base``."""
        assert isinstance(to.settings, MailSettings)  # noqa: S101  # by the registry of settings
        if not self._server:
            raise PeerAwayError("the operator has set no SMTP server (TOCSIN_MAIL_SMTP)")
        mail = digest(to.settings, self._sender, parcels)
        outcome = await asyncio.to_thread(self._send, mail)
        return [outcome] * len(parcels)

    def _send(self, mail: EmailMessage) -> Outcome:
        host, _, port = self._server.rpartition(":")
        is_begun = False
        try:
            with smtplib.SMTP(host, int(port), timeout=self._timeout_s) as server:
                if self._tls:
                    server.starttls(context=ssl.create_default_context())
                is_begun = True
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(code in _PERMANENT for code in codes):
                return Outcome("failed", f"SMTP {codes[0]}: no recipient was accepted")
            raise PeerAwayError(f"SMTP {codes[0]}: recipients are put off") from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code in _PERMANENT:
                return Outcome("failed", f"SMTP {error.smtp_code}")
            raise PeerAwayError(f"SMTP {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise PeerAwayError(
                f"SMTP server: {type(error).__name__}", in_doubt=is_begun
            ) from error
        reason = f"refused for {len(refused)} of the recipients" if refused else ""
        return Outcome("confirmed", reason, str(mail["Message-ID"]))

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """Nothing can be asked; a repeat bears the same Message-ID."""
        return [None] * len(parcels)

    async def close(self) -> None:
        """Nothing is kept open."""
