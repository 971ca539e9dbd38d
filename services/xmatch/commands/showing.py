"""``tocsin catalogs show``: where a catalog comes from, and some of its rows."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from services.xmatch.catalog_index import CatalogIndex, DamagedIndexError, open_index
from services.xmatch.catalog_store import open_named
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.commands.screen import GOOD, parser, refuse
from services.xmatch.settings import XmatchSettings
from services.xmatch.store.versions import NoSuchCatalogError, find, imported
from shared.telemetry.logs import configure_logs

DESCRIPTION = "Show where a catalog comes from (provenance) and some of its rows."

EXAMPLES = """\
examples:
  tocsin catalogs show vsx
  tocsin catalogs show ned_lvs@20260424-1a2b3c4d --rows 10
  tocsin catalogs show my_list --json"""

NOT_SHOWN = ("files", "format", "columns", "photometry", "catalog")


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "ERROR")
    made = parser("show", DESCRIPTION, EXAMPLES)
    made.add_argument("name", metavar="NAME[@VERSION]")
    made.add_argument("--rows", type=int, default=5, metavar="N", help="sample rows to show")
    made.add_argument("--json", action="store_true", help="print JSON, for a script")
    asked = made.parse_args(argv)
    if not 0 <= asked.rows <= 1_000:
        made.error("--rows is 0 to 1000")
    folder = settings.catalog_folder()
    try:
        name, at, _ = asked.name.partition("@")
        index = (
            open_index(find(folder, asked.name).index)
            if at or name not in CATALOGS
            else open_named(name, folder)
        )
    except (CatalogUnavailableError, NoSuchCatalogError, DamagedIndexError) as error:
        return refuse(error)
    about = {key: value for key, value in index.provenance.items() if key not in NOT_SHOWN}
    about["versions"] = [one.version for one in imported(folder, index.name)] or [index.version]
    rows = sample_rows(index, asked.rows)
    if asked.json:
        sys.stdout.write(json.dumps(about | {"sample": rows}, indent=2) + "\n")
    else:
        _show(index, about, rows)
    return GOOD


def sample_rows(index: CatalogIndex, count: int) -> list[dict[str, Any]]:
    """Rows spread evenly over the sky, ready for JSON; what is unknown is None."""
    rows = np.unique(np.linspace(0, len(index.positions) - 1, count).astype(np.int64))
    rows = rows[: len(index.positions)]
    ra_deg, dec_deg = index.positions_deg(rows)
    known = index.sources.take(rows).to_pylist()
    shown = []
    for place, (row, source) in enumerate(zip(rows, known, strict=True)):
        entry = {
            "source_id": source["source_id"],
            "source_class": source["source_class"],
            "ra_deg": round(float(ra_deg[place]), 7),
            "dec_deg": round(float(dec_deg[place]), 7),
        }
        for name, values in {**index.columns, **index.photometry}.items():
            value = float(str(values[row]))
            entry[name] = value if np.isfinite(value) else None
        shown.append(entry)
    return shown


def _show(index: CatalogIndex, about: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    console = Console()
    facts = Table(box=None, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in about.items():
        if value not in (None, {}, []):
            facts.add_row(name.replace("_", " "), _told(value))
    console.print(facts)
    if rows:
        table = Table(box=None, header_style="bold", title="some rows", title_justify="left")
        named = [n for n in rows[0] if any(row[n] is not None for row in rows)]
        for name in named:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*("" if row[name] is None else str(row[name]) for name in named))
        console.print(table)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_told(part)}" for key, part in value.items() if part)
    if isinstance(value, list):
        return "\n".join(_told(part) for part in value)
    return str(value)


if __name__ == "__main__":
    raise SystemExit(main())
