"""The data dictionary of the published alert, written from the columns' own metadata.

``python -m shared.schemas.dictionary`` writes ``docs/data-dictionary.md``; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import types

from shared.schemas.alert import ALERT_SCHEMA_VERSION
from shared.schemas.avro.schema import SCHEMA_FILE, SCHEMA_ID
from shared.schemas.published import OPEN_STRUCTS, STAGES

DICTIONARY_FILE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"

_HEAD = f"""\
# Data dictionary

The columns of an alert, version {ALERT_SCHEMA_VERSION}, by the service that adds them.
This page is written by `python -m shared.schemas.dictionary` from `shared/schemas/`; change it
there.

- Inside the mesh an alert is a row of an Arrow record batch; in `out.<filter>` it is an Avro
  message in Confluent framing with schema id {SCHEMA_ID}
  (`shared/schemas/avro/{SCHEMA_FILE.name}`). An open struct is a map there.
- Columns are only ever added, and what is added may be null. A null says that something was not
  given or not done; it is never a guess.
- Positions are ICRS; times are modified Julian dates on the TAI scale unless a name says
  otherwise; fluxes are AB nanojansky, `magnitude_ab = 31.4 - 2.5 log10(flux_njy)`.
"""


def dictionary_text() -> str:
    """The page, in Markdown."""
    sections = [_HEAD]
    for service, fields in STAGES:
        sections.append(f"## Added by {service}\n\n{_table(fields)}")
        sections.extend(_members(fields))
    return "\n".join(sections)


def _table(fields: Iterable[pa.Field], level: str = "Column") -> str:
    head = f"| {level} | Type | Unit | Meaning | Null means | Source |\n|---|---|---|---|---|---|\n"
    return head + "".join(_row(field) for field in fields)


def _row(field: pa.Field) -> str:
    words = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
    null = words.get("null", "not given") if field.nullable else "never null"
    cells = (
        f"`{field.name}`",
        _type_name(field),
        words.get("unit", ""),
        words.get("meaning", ""),
        null,
        words.get("source", ""),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type_name(field: pa.Field) -> str:
    if field.name in OPEN_STRUCTS:
        return "struct, open"
    if types.is_list(field.type):
        inner = field.type.value_type
        return f"list of {'struct' if types.is_struct(inner) else inner}"
    return "struct" if types.is_struct(field.type) else str(field.type)


def _members(fields: Iterable[pa.Field]) -> Iterator[str]:
    """One more table for each struct, and each list of structs."""
    for field in fields:
        inner = field.type.value_type if types.is_list(field.type) else field.type
        if types.is_struct(inner) and inner.num_fields:
            members = [inner.field(i) for i in range(inner.num_fields)]
            yield f"### Members of `{field.name}`\n\n{_table(members, 'Member')}"


if __name__ == "__main__":
    DICTIONARY_FILE.parent.mkdir(exist_ok=True)
    DICTIONARY_FILE.write_text(dictionary_text(), encoding="utf-8")
