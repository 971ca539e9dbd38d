"""``tocsin archive list``: which nights are packed, and where."""

from __future__ import annotations

import sys

from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import GOOD, guarded, parser
from shared.archive.nights import night_date
from shared.archive.snapshots import archive_root, current_snapshot, surveys_in

DESCRIPTION = "List the packed nights, and where lsdb and others find them."
EPILOG = """\
examples:
  tocsin archive list

Exit status: 0, or 2 if it cannot be read.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    parser("list", DESCRIPTION, EPILOG).parse_args(argv)
    return guarded(_list)


def _list() -> int:
    root = archive_root(ArchiveSettings().state_dir)
    surveys = surveys_in(root)
    if not surveys:
        print(
            f"no night is packed below {root}; tocsin archive pack packs those that are over and "
            "quiet, --night N any"
        )
    for survey in surveys:
        snapshot = current_snapshot(root, survey)
        if snapshot is None:
            continue
        size = sum(file.size_bytes for file in snapshot.files)
        print(
            f"{survey}: {snapshot.alerts:,} alerts, {len(snapshot.nights)} nights, "
            f"{len(snapshot.files):,} files, {size / 1e6:,.1f} MB, HEALPix order {snapshot.order}"
        )
        print(f"  lsdb.open_catalog({str((root / survey / 'current' / 'alerts').absolute())!r})")
        for number, night in sorted(snapshot.nights.items()):
            print(f"  {number} {night_date(number)} {night.alerts:>10,} alerts")
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
