"""``tocsin mma check``: read notices without sending them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from services.mma.notice_files import notice_paths, read_path, refusal, summary
from shared.errors import RejectedRecordError

DESCRIPTION = """\
Read notices (VOEvent 1.1, 2.0, 2.1; LVK and GCN JSON; gzipped or not) and print one JSON line
each: what was understood, or why it was refused. Needs no server. Exit status 1 if any was
refused."""

EXAMPLES = """\
examples:
  tocsin mma check S240115x-preliminary.json.gz
  tocsin mma check notices/ | jq -r '[.status, .notice_type, .event_id, .reason] | @tsv'"""


def main(argv: list[str] | None = None) -> int:
    """Check the files and folders of ``argv``; 0 if all were accepted."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma check",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="files or folders")
    options = parser.parse_args(argv)
    refused = 0
    for path in notice_paths(options.paths):
        try:
            line = summary(path, read_path(path))
        except RejectedRecordError as error:
            line = refusal(path, error)
            refused += 1
        sys.stdout.write(orjson.dumps(line).decode() + "\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
