"""``tocsin mma parse``: read notices without sending them."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from services.mma.notice_files import notices_in, refusal, summary
from shared.errors import RejectedRecordError

DESCRIPTION = """\
Read notices (VOEvent 1.1, 2.0, 2.1; LVK and GCN JSON; gzipped or not; files, folders, tar
archives) and print one JSON line each: what was understood, or why it was refused. Needs no
server."""

EXAMPLES = """\
examples:
  tocsin mma parse S240115x-preliminary.json.gz
  tocsin mma parse notices/ | jq -r '[.status, .notice_type, .event_id, .reason] | @tsv'
  tocsin mma parse --table voevents.tar.xz

Exit status: 0 all accepted, 1 some refused, 2 a single notice that was refused, or no such
file."""


def main(argv: list[str] | None = None) -> int:
    """Read the files and folders of ``argv``; 0 if all were accepted."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma parse",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="FILE", help="files, folders or tar archives"
    )
    parser.add_argument(
        "--table", action="store_true", help="count by type and outcome instead of a line each"
    )
    options = parser.parse_args(argv)
    counts: Counter[tuple[str, str]] = Counter()
    read = refused = 0
    for name, outcome in notices_in(options.paths):
        read += 1
        if isinstance(outcome, RejectedRecordError):
            refused += 1
            counts["(refused)", outcome.reason] += 1
            line = refusal(name, outcome)
        else:
            counts[outcome.notice_type, _outcome(outcome)] += 1
            line = {} if options.table else _summary_or_refusal(name, outcome)
        if not options.table:
            sys.stdout.write(orjson.dumps(line).decode() + "\n")
    if options.table:
        sys.stdout.write(table(counts))
    if not refused:
        return 0
    return 2 if read == 1 else 1


def _summary_or_refusal(name: str, notice: Any) -> dict[str, Any]:
    try:
        return summary(name, notice)
    except RejectedRecordError as error:
        return refusal(name, error)


def _outcome(notice: Any) -> str:
    if notice.alert_kind == "retraction":
        return "retraction"
    if notice.role != "observation":
        return str(notice.role)
    return "placed" if notice.localization is not None else "no place"


def table(counts: Counter[tuple[str, str]]) -> str:
    """Markdown: a row per notice type, then one per reason of refusal."""
    outcomes = ("placed", "no place", "retraction", "test", "utility", "prediction", "injection")
    lines = ["| type | notices | " + " | ".join(outcomes) + " |",
             "|---|" + "---:|" * (len(outcomes) + 1)]  # fmt: skip
    types = sorted({kind for kind, _ in counts if kind != "(refused)"})
    for kind in types:
        row = [counts[kind, outcome] for outcome in outcomes]
        lines.append(f"| {kind} | {sum(row)} | " + " | ".join(str(n or "") for n in row) + " |")
    accepted = sum(n for (kind, _), n in counts.items() if kind != "(refused)")
    lines.append(f"| **all read** | {accepted} |" + " |" * len(outcomes))
    for (kind, reason), n in sorted(counts.items()):
        if kind == "(refused)":
            lines.append(f"| refused: `{reason}` | {n} |" + " |" * len(outcomes))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
