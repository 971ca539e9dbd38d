"""``tocsin archive verify``: whether the files on disk still are what was packed."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.progress import Progress

from services.archive.nightly.verify import verify
from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import DAMAGED, GOOD, guarded, parser
from shared.archive.snapshots import archive_root, current_snapshot, surveys_in

DESCRIPTION = """\
Check the packed nights: size and SHA-256 of every file, whether alerts lie in their pixels and
nights, sorted, each once, and whether the counts agree."""
EPILOG = """\
examples:
  tocsin archive verify
  tocsin archive verify --survey ztf

Exit status: 0 whole, 1 damaged, 2 cannot say.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    made = parser("verify", DESCRIPTION, EPILOG)
    made.add_argument("--survey", action="append", default=[], help="only this survey; repeatable")
    asked = made.parse_args(argv)
    return guarded(lambda: _verify(asked))


def _verify(asked: argparse.Namespace) -> int:
    root = archive_root(ArchiveSettings().state_dir)
    console = Console(stderr=True)
    is_damaged = False
    for survey in asked.survey or surveys_in(root):
        snapshot = current_snapshot(root, survey)
        if snapshot is None:
            raise ValueError(f"nothing of {survey!r} is packed; there are: {surveys_in(root)}")
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
            task = bars.add_task(survey, total=sum(f.size_bytes for f in snapshot.files))
            wrong = verify(snapshot, lambda size, task=task, bars=bars: bars.advance(task, size))  # type: ignore[misc]  # mypy cannot infer defaults of lambdas
        for line in wrong:
            print(line)
        is_damaged |= bool(wrong)
        state = "damaged" if wrong else "whole"
        print(
            f"{survey}: {state}: {len(snapshot.nights)} nights, {snapshot.alerts:,} alerts, "
            f"{len(snapshot.files):,} files, version {snapshot.version}"
        )
    return DAMAGED if is_damaged else GOOD


if __name__ == "__main__":
    sys.exit(main())
