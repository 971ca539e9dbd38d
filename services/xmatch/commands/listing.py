"""``tocsin catalogs list``: what there is, what is imported, what could be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from services.xmatch.catalog_store import version_of
from services.xmatch.catalogs import CATALOGS
from services.xmatch.commands.screen import GOOD, parser
from services.xmatch.settings import XmatchSettings
from services.xmatch.store.versions import NoSuchCatalogError, imported, imported_names
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
List the catalogs: those that are served, and those that are registered and wait for their file."""

EXAMPLES = """\
examples:
  tocsin catalogs list
  tocsin catalogs list --json | jq '.[] | select(.version == null) | .mend'"""


def catalogs(folder: Path) -> list[dict[str, Any]]:
    """One entry for each catalog, registered ones first, ready for JSON."""
    return [_entry(name, folder) for name in dict.fromkeys([*CATALOGS, *imported_names(folder)])]


def _entry(name: str, folder: Path) -> dict[str, Any]:
    registered = CATALOGS.get(name)
    versions = imported(folder, name)
    entry: dict[str, Any] = {
        "name": name,
        "title": registered.title if registered else name,
        "kind": registered.kind if registered else None,
        "radius_arcsec": registered.radius_arcsec if registered else None,
        "version": version_of(name, folder),
        "from": "registered",
        "rows": None,
        "other_versions": [one.version for one in versions if not one.is_current],
        "mend": registered.mend if registered else f"tocsin catalogs import {name} FILE",
    }
    if entry["version"] is not None:
        entry["from"] = "package"
    for one in versions:
        if one.is_current:
            entry["from"] = "import"
            try:
                about = one.manifest()
            except NoSuchCatalogError:
                entry["from"] = "damaged"
                continue
            entry |= {key: about[key] for key in ("title", "kind", "radius_arcsec", "rows")}
    return entry


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "ERROR")
    made = parser("list", DESCRIPTION, EXAMPLES)
    made.add_argument("--json", action="store_true", help="print JSON, for a script")
    asked = made.parse_args(argv)
    entries = catalogs(settings.catalog_folder())
    if asked.json:
        sys.stdout.write(json.dumps(entries, indent=2) + "\n")
        return GOOD
    table = Table(box=None, header_style="bold")
    for heading in ("catalog", "kind", "radius ″", "rows", "version", ""):
        right = heading in ("radius ″", "rows")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "")
    for entry in entries:
        others = len(entry["other_versions"])
        table.add_row(
            entry["name"],
            entry["kind"],
            f"{entry['radius_arcsec']:g}",
            f"{entry['rows']:,}" if entry["rows"] is not None else "",
            entry["version"] or "-",
            {"import": "imported", "package": "from a package", "damaged": "damaged"}.get(
                entry["from"], f"run: {entry['mend']}"
            )
            + (f", {others} older" if others else ""),
        )
    Console().print(table)
    return GOOD


if __name__ == "__main__":
    raise SystemExit(main())
