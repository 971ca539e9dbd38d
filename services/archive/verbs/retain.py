"""``tocsin archive retain``: forget old nights, after saying which."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import sys

from services.archive.nightly.compact import retain
from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import GOOD, guarded, parser
from shared.archive.nights import night_date
from shared.archive.snapshots import archive_root, surveys_in

DESCRIPTION = """\
Forget packed nights that are older than so many days. Without --really it only says which, and
nothing is changed. The database and the survey's packets are not touched."""
EPILOG = """\
examples:
  tocsin archive retain --days 365              what would go
  tocsin archive retain --days 365 --really

Exit status: 0 done or said, 2 cannot.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    made = parser("retain", DESCRIPTION, EPILOG)
    made.add_argument("--days", type=float, required=True, help="age at which nights go, days")
    made.add_argument("--survey", action="append", default=[], help="only this survey; repeatable")
    made.add_argument("--really", action="store_true", help="do it")
    asked = made.parse_args(argv)
    if not (math.isfinite(asked.days) and asked.days >= 0):
        made.error("--days is a number of days, 0 or more")
    return guarded(lambda: _retain(asked))


def _retain(asked: argparse.Namespace) -> int:
    root = archive_root(ArchiveSettings().state_dir)
    age = dt.datetime.now(dt.UTC) - dt.datetime(1858, 11, 17, tzinfo=dt.UTC)
    oldest = math.ceil(age / dt.timedelta(days=1) - asked.days - 1)
    for survey in asked.survey or surveys_in(root):
        outcome = retain(root, survey, oldest, dry_run=not asked.really)
        if not outcome.nights:
            print(f"{survey}: no night before {night_date(oldest)}")
            continue
        first, last = night_date(outcome.nights[0]), night_date(outcome.nights[-1])
        print(
            f"{survey}: {len(outcome.nights)} nights, {first} to {last}, "
            f"{outcome.alerts:,} alerts, {outcome.size_bytes / 1e6:,.1f} MB "
            f"{'are gone' if asked.really else 'would go; --really does it'}"
        )
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
