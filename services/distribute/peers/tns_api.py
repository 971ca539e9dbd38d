"""The bulk-report API of the Transient Name Server, as its bots speak it.

POST forms with ``api_key`` and ``data`` (JSON); ``User-Agent: tns_marker{...}`` names the bot; the
answers' ``x-rate-limit-*`` headers are obeyed. wis-tns.org: "TNS APIs", sample codes of 2023 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from services.distribute.channels.base import Outcome, PeerAwayError
from services.distribute.peers.guarded_http import Answer, GuardedHttp
from shared.errors import RejectedRecordError

SANDBOX_URL = "https://sandbox.wis-tns.org/api"
LIVE_URL = "https://www.wis-tns.org/api"
_REPORT = "set/bulk-report"
_DEFAULT_WAIT_S = 60.0
_UNAUTHORISED_WAIT_S = 600.0
_NEW_OBJECT, _KNOWN_OBJECT = "100", "101"
_CLASSIFIED = ("120", "121", "122", "123")
"""New type, new name (AT to SN), new redshift: what a classification that was taken leads to."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Who reports."""

    bot_id: int
    name: str
    api_key: str

    @property
    def agent(self) -> str:
        """The header that TNS demands."""
        marker = orjson.dumps({"tns_id": self.bot_id, "type": "bot", "name": self.name})
        return "tns_marker" + marker.decode()


class TnsApi:
    """Calls of one TNS, real, sandbox or for trials."""

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http

    async def send_report(self, url: str, bot: Bot, report: Mapping[str, Any]) -> str:
        """Hand a report in; returns its id.

        Raises
        ------
        PeerAwayError
            ``in_doubt`` if TNS may have taken it.
        RejectedRecordError
            ``refused``, with what TNS says.
        """
        answer = await self._call(url, bot, _REPORT, {"data": orjson.dumps(report)})
        report_id = _member(answer, "data", "report_id")
        if report_id is None:
            raise RejectedRecordError("refused", _words(answer))
        return str(report_id)

    async def reply(self, url: str, bot: Bot, report_id: str) -> list[Outcome] | None:
        """What became of the entries of a report; None while TNS has not worked on it.

        Raises
        ------
        PeerAwayError
            If TNS does not answer now.
        """
        try:
            answer = await self._call(
                url, bot, "get/bulk-report-reply", {"report_id": report_id.encode()}
            )
        except RejectedRecordError as error:
            return None if error.reason == "not_found" else [Outcome("failed", str(error))]
        feedback = _member(answer, "data", "feedback")
        if not feedback:
            return None
        entries: list[Any] = []
        for kind in ("at_report", "classification_report"):
            entries += feedback.get(kind) or []
        return [_judged(entry) for entry in entries]

    async def search(self, url: str, bot: Bot, internal_name: str) -> str | None:
        """TNS's name of the object that somebody reported by this internal name; None if nobody.

        Raises
        ------
        PeerAwayError
            If TNS does not answer now.
        """
        question = {"internal_name": internal_name, "internal_name_exact_match": 1}
        try:
            answer = await self._call(url, bot, "get/search", {"data": orjson.dumps(question)})
        except RejectedRecordError as error:
            if error.reason == "not_found":
                return None
            raise
        found = _member(answer, "data", "reply") or _member(answer, "data") or []
        if not isinstance(found, list) or not found:
            return None
        return f"{found[0].get('prefix', '')}{found[0].get('objname', '')}"

    async def upload(self, url: str, bot: Bot, name: str, text: str) -> str:
        """Upload a spectrum; returns the name that TNS gave the file.

        Raises
        ------
        PeerAwayError, RejectedRecordError
            As ``send_report``; an upload that is repeated does no harm.
        """
        form = _form(bot, {})
        form.add_field("files[0]", text.encode(), filename=name, content_type="text/plain")
        answer = _read(await self._post(url, bot, "set/file-upload", form))
        names = _member(answer, "data")
        if not names:
            raise RejectedRecordError("refused", _words(answer))
        return str(names[0])

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def _call(self, url: str, bot: Bot, path: str, fields: Mapping[str, bytes]) -> Any:
        return _read(await self._post(url, bot, path, _form(bot, fields)))

    async def _post(self, url: str, bot: Bot, path: str, form: aiohttp.FormData) -> Answer:
        try:
            return await self._post_once(url, bot, path, form)
        except PeerAwayError as error:
            # Whatever else is asked of TNS, only a report leaves a trace.
            in_doubt = error.in_doubt and path == _REPORT
            raise PeerAwayError(
                str(error), in_doubt=in_doubt, retry_after_s=error.retry_after_s
            ) from error

    async def _post_once(self, url: str, bot: Bot, path: str, form: aiohttp.FormData) -> Answer:
        answer = await self._http.post(f"{url}/{path}", form, {"User-Agent": bot.agent})
        if answer.status == 429:
            wait_s = _reset_s(answer)
            raise PeerAwayError("TNS: rate limit reached", retry_after_s=wait_s)
        if answer.status in {401, 403}:  # a key can be mended; a report that is lost cannot
            raise PeerAwayError(
                f"TNS refuses the bot: HTTP {answer.status}", retry_after_s=_UNAUTHORISED_WAIT_S
            )
        if answer.status >= 500:
            raise PeerAwayError(f"TNS: HTTP {answer.status}", in_doubt=True)
        return answer


def _form(bot: Bot, fields: Mapping[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("api_key", bot.api_key)
    for name, value in fields.items():
        form.add_field(name, value.decode())
    return form


def _read(answer: Answer) -> Any:
    if answer.status == 404:
        raise RejectedRecordError("not_found", "TNS does not know it (yet)")
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise PeerAwayError("TNS: an answer that is no JSON", in_doubt=True) from error
    code = document.get("id_code") if isinstance(document, dict) else None
    if code == 404:
        raise RejectedRecordError("not_found", "TNS does not know it (yet)")
    if answer.status != 200 or code not in {200, None}:
        raise RejectedRecordError("refused", _words(document) or f"HTTP {answer.status}")
    return document


def _judged(entry: Any) -> Outcome:
    """One entry of a reply's feedback."""
    if not isinstance(entry, dict):
        return Outcome("failed", _words(entry))
    for code, word in ((_NEW_OBJECT, "created"), (_KNOWN_OBJECT, "added to")):
        if code in entry:
            name = str(entry[code].get("objname", ""))
            return Outcome("confirmed", f"{word} {name}", name)
    if any(code in entry for code in _CLASSIFIED):
        return Outcome("confirmed", _words(entry))
    return Outcome("failed", _words(entry))


def _member(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _words(document: Any) -> str:
    """All messages of an answer, wherever they stand."""
    if isinstance(document, dict):
        own = [str(document[k]) for k in ("message", "id_message") if document.get(k)]
        rest = [
            f"{key}: {words}"
            if not str(key).isdecimal() and key not in {"data", "feedback"}
            else words
            for key, value in document.items()
            if isinstance(value, dict | list) and (words := _words(value))
        ]
        return "; ".join([*own, *rest])[:400]
    if isinstance(document, list):
        return "; ".join(filter(None, map(_words, document)))[:400]
    return ""


def _reset_s(answer: Answer) -> float:
    for name in ("x-rate-limit-reset", "x-cone-rate-limit-reset", "retry-after"):
        text = answer.headers.get(name, "").strip()
        if text.isdecimal():
            return min(max(float(text), 1.0), 3600.0)
    return _DEFAULT_WAIT_S
