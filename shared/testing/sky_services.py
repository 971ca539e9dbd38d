"""CDS X-Match and a TAP service on this machine: the real protocols, and every kind of trouble.

``SkyServices`` answers from a small catalog of its own by really searching it; before that it
does what its ``plan`` says, one entry for each request: be slow, answer 5xx, cut, and so on.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from aiohttp import web

from shared.sky.separation import separation_arcsec

CATALOG = (
    ("NGC 7814", 0.81243, 16.14542, "G", "0.00351"),
    ("SN 2021rhu", 0.81430, 16.14570, "SN*", "0.00351"),
    ("V* T Aqr <A&B>", 312.3, -5.1, "Mi*", ""),
)
"""Name, RA and Dec in degrees, class, redshift."""


@dataclass
class SkyServices:
    """What the two services know, how they behave next, and what they were asked."""

    catalog: tuple[tuple[str, float, float, str, str], ...] = CATALOG
    plan: list[str] = field(default_factory=list)
    """``slow``, ``cut``, ``malformed``, ``oversized``, ``doctype``, ``overflow``, or a status,
    with seconds for Retry-After after a colon: ``429:2``. Empty: all is well."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """The parameters of every request, in order."""
    positions: list[int] = field(default_factory=list)
    """How many positions each of them had."""
    base_url: str = ""

    @property
    def xmatch_url(self) -> str:
        """Of CDS X-Match."""
        return f"{self.base_url}/xmatch/api/v1/sync"

    @property
    def tap_url(self) -> str:
        """Of the TAP service."""
        return f"{self.base_url}/tap/sync"

    async def xmatch(self, request: web.Request) -> web.StreamResponse:
        """CDS X-Match: multipart in, CSV out, ``angDist`` first."""
        fields, files = await _form(request)
        rows = list(csv.DictReader(io.StringIO(files["cat1"])))
        self._note(fields, len(rows))
        for name in ("request", "cat2", "colRA1", "colDec1", "distMaxArcsec", "RESPONSEFORMAT"):
            if name not in fields:
                return web.Response(status=400, text=f'{{"error": "parameter {name} is missing"}}')
        if float(fields["distMaxArcsec"]) > 180:
            return web.Response(status=400, text='{"error": "distMaxArcsec is at most 180"}')
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["angDist", *rows[0], "main_id", "ra", "dec", "main_type", "redshift", "V"])
        for row in rows:
            place = float(row[fields["colRA1"]]), float(row[fields["colDec1"]])
            for away, source in self._around(*place, float(fields["distMaxArcsec"])):
                name, ra_deg, dec_deg, kind, redshift = source
                writer.writerow(
                    [f"{away:.6f}", *row.values(), name, ra_deg, dec_deg, kind, redshift, ""]
                )
        return await self._answer(request, out.getvalue().encode(), "text/csv")

    async def tap(self, request: web.Request) -> web.StreamResponse:
        """TAP 1.1 /sync: ADQL and an uploaded VOTable in, a VOTable with TABLEDATA out."""
        fields, files = await _form(request)
        upload = fields.get("UPLOAD", "").partition("param:")[2]
        found = re.search(r"CIRCLE\('ICRS', u\.ra_deg, u\.dec_deg, ([0-9.]+)\)", fields["QUERY"])
        rows = re.findall(r"<TR><TD>(.*?)</TD><TD>(.*?)</TD><TD>(.*?)</TD></TR>", files[upload])
        self._note(fields, len(rows))
        if found is None:
            return web.Response(status=400, body=_votable("ERROR", "no such function", ""))
        lines = []
        for key, ra_text, dec_text in rows:
            near = self._around(float(ra_text), float(dec_text), 3600 * float(found[1]))
            for _, (name, ra_deg, dec_deg, kind, redshift) in near:
                cells = (key, escape(name), ra_deg, dec_deg, kind, redshift, "5.5", "")
                lines.append("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in cells) + "</TR>")
        is_overflow = bool(self.plan) and self.plan[0] == "overflow"
        if is_overflow:
            self.plan.pop(0)
        body = _votable("OK", "", "\n".join(lines), is_overflow=is_overflow)
        return await self._answer(request, body, "application/x-votable+xml")

    def _around(
        self, ra_deg: float, dec_deg: float, radius_arcsec: float
    ) -> list[tuple[float, tuple[str, float, float, str, str]]]:
        pairs = [
            (float(separation_arcsec(ra_deg, dec_deg, source[1], source[2])), source)
            for source in self.catalog
        ]
        return sorted(pair for pair in pairs if pair[0] <= radius_arcsec)

    def _note(self, fields: dict[str, str], positions: int) -> None:
        self.requests.append(fields)
        self.positions.append(positions)

    async def _answer(
        self, request: web.Request, body: bytes, content_type: str
    ) -> web.StreamResponse:
        trouble = self.plan.pop(0) if self.plan else ""
        if trouble[:1].isdigit():
            status, _, retry_after = trouble.partition(":")
            headers = {"Retry-After": retry_after} if retry_after else {}
            return web.Response(status=int(status), text="no", headers=headers)
        if trouble == "slow":
            await asyncio.sleep(30)
        if trouble == "malformed":
            body = b"<html>Down for maintenance</html>\n"
        if trouble == "doctype":
            head = b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>\n'
            body = head + body.partition(b"?>")[2]
        if trouble == "oversized":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(1000):
                await response.write(b"0" * 65_536)
            return response
        if trouble == "cut":
            response = web.StreamResponse(headers={"Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            if request.transport is not None:
                request.transport.close()
            return response
        if trouble == "cut_silently":
            body = body[: len(body) - 5]
        return web.Response(body=body, content_type=content_type)


def _votable(status: str, words: str, rows: str, *, is_overflow: bool = False) -> bytes:
    names = ("tocsin_key", "main_id", "ra", "dec", "otype", "rvz_redshift", "galdim_majaxis", "V")
    fields = "".join(f'<FIELD name="{name}" datatype="char" arraysize="*"/>' for name in names)
    info = f'<INFO name="QUERY_STATUS" value="{status}">{escape(words)}</INFO>'
    table = f"<TABLE>{fields}<DATA><TABLEDATA>\n{rows}</TABLEDATA></DATA></TABLE>"
    tail = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>' if is_overflow else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results">{info}{table if status == "OK" else ""}{tail}</RESOURCE>'
        "</VOTABLE>\n"
    ).encode()


async def _form(request: web.Request) -> tuple[dict[str, str], dict[str, str]]:
    """Fields and files of a multipart/form-data POST."""
    fields, files = {}, {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read().decode()
        else:
            fields[name] = str(value)
    return fields, files


@asynccontextmanager
async def sky_services() -> AsyncIterator[SkyServices]:
    """Both services on a free port of this machine, until the block is left."""
    services = SkyServices()
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/xmatch/api/v1/sync", services.xmatch)
    app.router.add_post("/tap/sync", services.tap)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    services.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield services
    finally:
        await runner.cleanup()
