"""A Transient Name Server on loopback that speaks the bulk-report API, for tests.

It demands what the real one demands (``User-Agent`` marker, key, the fields of a report), works on
reports after a while, answers 404 until then, limits rates with its headers, and keeps count of
every report, so that a test can tell whether one came twice.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "a-key-of-the-test-server"
_MARKER = re.compile(r'^tns_marker\{"tns_id": ?\d+, ?"type": ?"bot", ?"name": ?"[^"]+"\}$')
_REQUIRED = (
    "ra", "dec", "reporting_group_id", "discovery_data_source_id", "reporter",
    "discovery_datetime", "at_type", "non_detection", "photometry",
)  # fmt: skip
_CLASSIFICATION = ("name", "classifier", "objtypeid", "groupid", "spectra")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")


@dataclass
class TnsServer:
    """What it holds, and how it behaves.

    ``works_after_s`` is how long a report waits; ``refuse_next`` is how many requests are answered
    with 429; ``drop_after`` breaks that many connections after the report was taken, and
    ``hang_after`` leaves that many without an answer.
    """

    works_after_s: float = 0.0
    refuse_next: int = 0
    drop_after: int = 0
    hang_after: int = 0
    reports: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)
    """TNS name by internal name."""
    uploads: dict[str, str] = field(default_factory=dict)
    classified: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Public files by name."""
    files_read: list[str] = field(default_factory=list)

    def application(self) -> web.Application:
        """The application, below ``/api``."""
        app = web.Application()
        for path, handler in (
            ("set/bulk-report", self._report),
            ("get/bulk-report-reply", self._reply),
            ("get/search", self._search),
            ("set/file-upload", self._upload),
        ):
            app.router.add_post(f"/api/{path}", handler)
        app.router.add_post("/system/files/tns_public_objects/{name}", self._file)
        return app

    def times_reported(self, internal_name: str) -> int:
        """In how many reports the object stood."""
        return sum(
            entry.get("internal_name") == internal_name
            for report in self.reports
            for entry in report["data"].get("at_report", {}).values()
        )

    async def _fields(self, request: web.Request) -> Any:
        if not _MARKER.match(request.headers.get("User-Agent", "")):
            raise web.HTTPForbidden(text="no tns_marker")
        fields = await request.post()
        if fields.get("api_key") != KEY:
            raise web.HTTPUnauthorized(text="wrong key")
        if self.refuse_next:
            self.refuse_next -= 1
            raise web.HTTPTooManyRequests(
                headers={"x-rate-limit-limit": "10", "x-rate-limit-remaining": "0",
                         "x-rate-limit-reset": "1"}
            )  # fmt: skip
        return fields

    async def _report(self, request: web.Request) -> web.StreamResponse:
        fields = await self._fields(request)
        try:
            content = json.loads(fields["data"])
        except (KeyError, ValueError):
            return _answer(400, "Bad request", {})
        self.reports.append({"data": content, "at_s": time.monotonic()})
        if self.hang_after:
            self.hang_after -= 1
            await asyncio.sleep(3600)
        if self.drop_after:
            self.drop_after -= 1
            assert request.transport is not None  # noqa: S101  # it is being answered
            request.transport.close()
            return web.Response()
        return _answer(200, "OK", {"report_id": len(self.reports)})

    async def _reply(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        number = int(fields.get("report_id", "0"))
        if not 1 <= number <= len(self.reports):
            return _answer(404, "Not found", {}, status=404)
        report = self.reports[number - 1]
        if time.monotonic() - report["at_s"] < self.works_after_s:
            return _answer(404, "Not found", {}, status=404)
        return _answer(200, "OK", {"feedback": self._worked_on(report)})

    def _worked_on(self, report: dict[str, Any]) -> dict[str, Any]:
        if "feedback" not in report:
            content = report["data"]
            report["feedback"] = {
                "at_report": [self._at(e) for e in content.get("at_report", {}).values()],
                "classification_report": [
                    self._classification(e)
                    for e in content.get("classification_report", {}).values()
                ],
            }
        feedback: dict[str, Any] = report["feedback"]
        return feedback

    def _at(self, entry: dict[str, Any]) -> dict[str, Any]:
        faults = {
            name: [{"message": "This value should not be blank.", "message_id": 31}]
            for name in _REQUIRED
            if not entry.get(name)
        }
        if not _DATE.match(str(entry.get("discovery_datetime"))):
            faults["discovery_datetime"] = [{"message": "Wrong date.", "message_id": 5}]
        if faults:
            return {"at_rep": {}, **faults}
        name = str(entry["internal_name"])
        code, word = ("101", "exists") if name in self.objects else ("100", "was inserted")
        found = self.objects.setdefault(name, f"2026{chr(97 + len(self.objects) % 26) * 3}")
        words = {"message": f"Object {word}", "message_id": int(code), "objname": found}
        return {"at_rep": {"message": "Report was inserted", "message_id": 102}, code: words}

    def _classification(self, entry: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in _CLASSIFICATION if not entry.get(name)]
        spectra = entry.get("spectra", {}).get("spectra-group", {}).values()
        if missing or any(s.get("ascii_file") not in self.uploads for s in spectra):
            return {"class_rep": [{"message": f"Missing: {missing}", "message_id": 31}]}
        self.classified.append(entry)
        return {"121": {"message": "New object name", "new_object_name": f"SN {entry['name']}"}}

    async def _search(self, request: web.Request) -> web.Response:
        wanted = json.loads((await self._fields(request))["data"])
        for report in self.reports:
            if time.monotonic() - report["at_s"] >= self.works_after_s:
                self._worked_on(report)
        name = self.objects.get(wanted.get("internal_name", ""))
        found = [{"objname": name, "prefix": "AT", "objid": 1}] if name else []
        return _answer(200, "OK", {"reply": found})

    async def _file(self, request: web.Request) -> web.Response:
        await self._fields(request)
        name = request.match_info["name"]
        self.files_read.append(name)
        if name not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[name], content_type="application/zip")

    async def _upload(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        given = fields["files[0]"]
        self.uploads[given.filename] = given.file.read().decode()
        return _answer(200, "OK", [given.filename])


def _answer(code: int, message: str, data: Any, status: int = 200) -> web.Response:
    return web.json_response({"id_code": code, "id_message": message, "data": data}, status=status)
