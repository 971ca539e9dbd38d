"""``tocsin catalogs prepare``: index what packages bring, before workers start."""

from __future__ import annotations

import sys

from services.xmatch.catalog_store import open_catalogs
from services.xmatch.commands.screen import GOOD, parser, refuse
from services.xmatch.settings import XmatchSettings
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Index the catalogs that packages bring, where that is not done yet. A worker would do it at its
first start; on a cluster a job does it once, and workers mount the folder read-only."""

EXAMPLES = """\
examples:
  tocsin catalogs prepare
  TOCSIN_STATE_DIR=/var/lib/tocsin python -m services.xmatch.commands.preparing"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "WARNING")
    parser("prepare", DESCRIPTION, EXAMPLES).parse_args(argv)
    folder = settings.catalog_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = open_catalogs(settings.xmatch_catalogs, folder)
    except (OSError, ValueError) as error:
        return refuse(error)
    for index in opened:
        sys.stdout.write(f"{index.name}@{index.version}: {len(index.positions):,} sources\n")
    return GOOD


if __name__ == "__main__":
    raise SystemExit(main())
