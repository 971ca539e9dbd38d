"""``tocsin catalogs remove``: deletes an imported version."""

from __future__ import annotations

import sys

from services.xmatch.catalogs import PACKAGED
from services.xmatch.commands.screen import GOOD, parser, refuse
from services.xmatch.settings import XmatchSettings
from services.xmatch.store.versions import NoSuchCatalogError, find, imported, remove
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Delete an imported version of a catalog, or without @VERSION all of them. When the current
version goes, the newest of the others is served; when the last goes, a package's file is served
again, or nothing. Workers that run notice within seconds."""

EXAMPLES = """\
examples:
  tocsin catalogs remove tns@2026-11-22-1a2b3c4d
  tocsin catalogs remove my_list"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "ERROR")
    made = parser("remove", DESCRIPTION, EXAMPLES)
    made.add_argument("names", nargs="+", metavar="NAME[@VERSION]")
    asked = made.parse_args(argv)
    folder = settings.catalog_folder()
    for wanted in asked.names:
        name, at, _ = wanted.partition("@")
        try:
            going = [find(folder, wanted)] if at else imported(folder, name)
            if not going:
                raise NoSuchCatalogError(f"{name} is not imported; see: tocsin catalogs list")
            for one in going:
                now = remove(folder, one)
                sys.stdout.write(f"removed {one.name}@{one.version}\n")
        except (NoSuchCatalogError, OSError) as error:
            return refuse(error)
        if now is not None:
            sys.stdout.write(f"{name}@{now} is served now\n")
        elif name in PACKAGED:
            sys.stdout.write(f"{name} is served from its package now\n")
    return GOOD


if __name__ == "__main__":
    raise SystemExit(main())
