"""``tocsin catalogs verify``: whether the files on disk still are what was imported."""

from __future__ import annotations

import sys

from services.xmatch.commands.screen import DAMAGED, GOOD, Bars, parser, refuse
from services.xmatch.settings import XmatchSettings
from services.xmatch.store.verifying import verify
from services.xmatch.store.versions import NoSuchCatalogError, find, imported, imported_names
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Check imported catalogs: the checksum of every file, whether rows are sorted, whether the counts
agree. Exit code 1 if something is damaged."""

EXAMPLES = """\
examples:
  tocsin catalogs verify vsx
  tocsin catalogs verify --all        every version of every catalog"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "ERROR")
    made = parser("verify", DESCRIPTION, EXAMPLES)
    made.add_argument("names", nargs="*", metavar="NAME[@VERSION]")
    made.add_argument("--all", action="store_true", help="every version of every catalog")
    asked = made.parse_args(argv)
    if bool(asked.names) == asked.all:
        made.error("name catalogs, or say --all")
    folder = settings.catalog_folder()
    try:
        if asked.all:
            wanted = [one for name in imported_names(folder) for one in imported(folder, name)]
        else:
            wanted = [find(folder, name) for name in asked.names]
    except NoSuchCatalogError as error:
        return refuse(error)
    damaged = False
    with Bars() as bars:
        for one in wanted:
            wrong = verify(one, bars)
            damaged |= bool(wrong)
            sys.stdout.write(f"{one.name}@{one.version}: {'DAMAGED' if wrong else 'whole'}\n")
            sys.stdout.writelines(f"  {line}\n" for line in wrong)
            if wrong:
                sys.stdout.write(
                    f"  mend: tocsin catalogs import {one.name} --again with its files, or "
                    f"tocsin catalogs remove {one.name}@{one.version}\n"
                )
    if not wanted:
        sys.stdout.write("nothing is imported\n")
    return DAMAGED if damaged else GOOD


if __name__ == "__main__":
    raise SystemExit(main())
