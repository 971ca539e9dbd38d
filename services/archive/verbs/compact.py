"""``tocsin archive compact``: few large files instead of one for each night and pixel."""

from __future__ import annotations

import argparse
import sys

from services.archive.nightly.compact import compact
from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import GOOD, guarded, parser
from shared.archive.snapshots import archive_root, current_snapshot, surveys_in

DESCRIPTION = """\
Put the files of all nights together, one for each HEALPix pixel, and take a finer order where
pixels have grown large. Queries then open a few files instead of thousands. Needs as much free
disk as the archive has now; a kill leaves what was there."""
EPILOG = """\
examples:
  tocsin archive compact
  tocsin archive compact --survey ztf --order 3

Exit status: 0 done or nothing to do, 2 cannot.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    made = parser("compact", DESCRIPTION, EPILOG)
    made.add_argument("--survey", action="append", default=[], help="only this survey; repeatable")
    made.add_argument("--order", type=int, choices=range(9), metavar="0..8", help="HEALPix order")
    asked = made.parse_args(argv)
    return guarded(lambda: _compact(asked))


def _compact(asked: argparse.Namespace) -> int:
    root = archive_root(ArchiveSettings().state_dir)
    for survey in asked.survey or surveys_in(root):
        before = current_snapshot(root, survey)
        after = compact(root, survey, order=asked.order)
        if before is None or after is None:
            print(f"{survey}: nothing to do")
            continue
        sizes = [sum(f.size_bytes for f in one.files) / 1e6 for one in (before, after)]
        print(
            f"{survey}: {len(before.files):,} files of {sizes[0]:,.1f} MB are now "
            f"{len(after.files):,} of {sizes[1]:,.1f} MB, order {after.order}"
        )
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
