"""VOTable, the part TAP needs: rows as TABLEDATA, written and read strictly.

XML from outside is refused as soon as it has a document type or an entity, or is nested or wide
beyond reason; no table of ours refers to a file elsewhere (``STREAM href``), so none is followed.
Format: IVOA VOTable 1.4; TAP 1.1, section 3.3 (QUERY_STATUS, overflow).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from services.xmatch.remote.base import MalformedAnswerError, Position, RemoteError

MAX_COLUMNS = 200
MAX_ROWS = 2_000_000
MAX_DEPTH = 32
MAX_CELL = 10_000
_UPLOAD_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>
<FIELD name="{key}" datatype="char" arraysize="*"/>
<FIELD name="ra_deg" datatype="double" unit="deg" ucd="pos.eq.ra;meta.main"/>
<FIELD name="dec_deg" datatype="double" unit="deg" ucd="pos.eq.dec;meta.main"/>
<DATA><TABLEDATA>
"""
_UPLOAD_TAIL = "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n"


def upload_votable(key_name: str, positions: Sequence[Position]) -> bytes:
    """Positions as a VOTable for a TAP upload: ``key_name``, ``ra_deg``, ``dec_deg``."""
    rows = "".join(
        f"<TR><TD>{p.key}</TD><TD>{p.ra_deg:.8f}</TD><TD>{p.dec_deg:.8f}</TD></TR>\n"
        for p in positions
    )
    return (_UPLOAD_HEAD.format(key=key_name) + rows + _UPLOAD_TAIL).encode()


@dataclass(slots=True)
class VotableRows:
    """The one table of an answer."""

    names: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    is_overflow: bool = False
    version: str | None = None
    """What an INFO of the answer calls the service's release."""


def read_votable(body: bytes) -> VotableRows:
    """Read the first table of a TAP answer.

    Raises
    ------
    MalformedAnswerError
        If it is not a whole VOTable with TABLEDATA, or has a document type or an entity.
    RemoteError
        ``query_refused``, if the service says that the query failed.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.ExternalEntityRefHandler = _refuse_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise MalformedAnswerError(f"not XML: {error}") from error
    if not reader.is_votable:
        raise MalformedAnswerError("not a VOTable")
    if reader.error is not None:
        raise RemoteError("query_refused", reader.error[:500])
    if not reader.has_table:
        raise MalformedAnswerError("a VOTable without TABLEDATA")
    return reader.found


def _refuse_doctype(*_: object) -> NoReturn:
    raise MalformedAnswerError("has a document type or an entity, which no VOTable needs")


class _Reader:
    """What expat calls; keeps the first table and the words of INFO elements."""

    def __init__(self) -> None:
        self.found = VotableRows()
        self.is_votable = False
        self.has_table = False
        self.error: str | None = None
        self._depth = 0
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._cell_length = 0
        self._in_table_data = False
        self._status: list[str] | None = None

    def start(self, qualified: str, attributes: dict[str, str]) -> None:
        name = qualified.rpartition("}")[2]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise MalformedAnswerError("nested too deep")
        if self._depth == 1:
            if name != "VOTABLE":
                raise MalformedAnswerError(f"not a VOTable but <{name}>")
            self.is_votable = True
        elif name == "INFO":
            self._info(attributes)
        elif name == "FIELD" and not self.has_table:
            self.found.names.append(attributes.get("name", ""))
            if len(self.found.names) > MAX_COLUMNS:
                raise MalformedAnswerError(f"more than {MAX_COLUMNS} columns")
        elif name in {"BINARY", "BINARY2", "FITS"}:
            raise MalformedAnswerError(f"rows as {name}, not as TABLEDATA")
        elif name == "TABLEDATA":
            self._in_table_data = not self.has_table
            self.has_table = True
        elif name == "TR" and self._in_table_data:
            self._row = []
        elif name == "TD" and self._row is not None:
            self._cell, self._cell_length = [], 0

    def end(self, qualified: str) -> None:
        name = qualified.rpartition("}")[2]
        self._depth -= 1
        if name == "TD" and self._row is not None and self._cell is not None:
            self._row.append("".join(self._cell))
            self._cell = None
        elif name == "TR" and self._row is not None:
            self.found.rows.append(self._row)
            self._row = None
            if len(self.found.rows) > MAX_ROWS:
                raise MalformedAnswerError(f"more than {MAX_ROWS} rows")
        elif name == "TABLEDATA":
            self._in_table_data = False
        elif name == "INFO" and self._status is not None:
            self.error = " ".join("".join(self._status).split()) or "the service gives no reason"
            self._status = None

    def text(self, text: str) -> None:
        if self._status is not None:
            self._status.append(text[:MAX_CELL])
        elif self._cell is not None:
            self._cell_length += len(text)
            if self._cell_length > MAX_CELL:
                raise MalformedAnswerError("a value longer than reason")
            self._cell.append(text)

    def _info(self, attributes: dict[str, str]) -> None:
        name, value = attributes.get("name", "").upper(), attributes.get("value", "")
        if name == "QUERY_STATUS" and value.upper() == "ERROR":
            self._status = []
        elif name == "QUERY_STATUS" and value.upper() == "OVERFLOW":
            self.found.is_overflow = True
        elif name in {"RELEASE", "VERSION", "SERVICE_VERSION"}:
            self.found.version = value[:100]
