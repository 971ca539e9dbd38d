"""``tocsin learn nightly``: a night's learning, unattended. Killed, it goes on where it stopped.

Steps: freeze answers of champion and challenger, score those whose labels have come, watch for
drift, teach and calibrate the challenger, fit trees anew once a week, promote what is no worse
(docs/learning.md says by what rule), enter the night in the audit. `tocsin learn rollback` takes a
promotion back.

  tocsin learn nightly                     the night that is over, from the archive
  tocsin learn nightly --simulate 60       sixty nights of SNPCC's season, to watch it work
  tocsin learn nightly --simulate 12 --season made-up      the same without data, in seconds
  tocsin learn nightly --injected          the newest night of `tocsin simulate`, from the archive
  tocsin learn nightly --report            what was done, night by night
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from services.classify.learning.nightly.archive import read_nights
from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.made_up import made_up_nights
from services.classify.learning.nightly.run import run_night
from services.classify.learning.nightly.source import SimulatedNights
from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import add_data, parser_of, print_table, say
from shared.errors import TocsinError

COLUMNS = ("night", "alerts", "judged", "lessons", "champion", "challenger", "accuracy",
           "champion_accuracy", "refitted_accuracy", "verdict")  # fmt: skip
SEASONS = ("snpcc", "made-up")
WORDS = {"challenger": "challenger", "refitted": "weekly trees"}


_BOOKS = {
    (False, False): "learning", (True, False): "learning-simulated",
    (False, True): "learning-injected",
}  # fmt: skip


def last_night() -> int:
    """MJD of the evening of the night that is over."""
    return int(time.time() / 86_400.0 + 40_587.0 - 0.75) - 1


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("nightly", __doc__ or "")
    add_data(parser)
    parser.add_argument("--night", type=int, metavar="MJD", help="of the evening (last night)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--simulate", type=int, metavar="N", help="the next N nights of a simulated season"
    )
    kind.add_argument(
        "--injected", action="store_true",
        help="the simulated objects of the archive, which real nights never hold",
    )  # fmt: skip
    parser.add_argument(
        "--season", choices=SEASONS, default="snpcc", help="what --simulate plays (snpcc)"
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="where the loop remembers")
    parser.add_argument("--report", action="store_true", help="only show what was done")
    parser.add_argument("--json", action="store_true", help="a JSON line for each night instead")
    return parser


def rows_of(books: Books) -> list[dict[str, Any]]:
    """The audit as rows of a table."""
    found, journal = [], books.journal()
    promoted = {
        one["night"]: f"promoted: the {WORDS[one.get('role') or 'challenger']}"
        for one in journal
        if "promoted" in one
    }
    for entry in journal:
        if not entry["key"].endswith("/night"):
            continue
        scores = books.read("scores", entry["night"])
        row = {name: entry.get(name) or "" for name in COLUMNS[:6]}
        beside = scores.get("beside", {})
        pair = beside.get("challenger") or scores  # on the same objects, as soon as there are some
        row["accuracy"] = pair.get("challenger", {}).get("accuracy", "")
        row["champion_accuracy"] = pair.get("champion", {}).get("accuracy", "")
        trees = beside.get("refitted") or scores
        row["refitted_accuracy"] = trees.get("refitted", {}).get("accuracy", "")
        row["verdict"] = promoted.get(entry["night"], "") or "; ".join(entry["objections"])
        found.append(row)
    return found


def _simulated(books: Books, chosen: argparse.Namespace) -> None:
    source = (
        SimulatedNights.of_snpcc(chosen.data) if chosen.season == "snpcc" else made_up_nights(40)
    )
    last = books.progress().get("night")
    finished = "close" in books.progress().get("done", [])
    nights = [one for one in source.nights if last is None or one > last or not finished]
    nights = [one for one in nights if last is None or one >= last]
    for night in nights[: chosen.simulate]:
        run_night(books, source, night)


def main(argv: list[str] | None = None) -> int:
    """Do a night's work."""
    chosen = _parser().parse_args(argv)
    try:
        settings = ClassifySettings()
        default = _BOOKS[(bool(chosen.simulate), chosen.injected)]
        books = Books(chosen.state or settings.state_dir / default)
        with threadpool_limits(1):
            if chosen.report:
                pass
            elif chosen.simulate:
                _simulated(books, chosen)
            else:
                night = chosen.night if chosen.injected else chosen.night or last_night()
                source = asyncio.run(read_nights(settings, night, simulated=chosen.injected))
                run_night(books, source, source.night)
    except (OSError, ValueError, ValidationError, TocsinError) as error:
        say(" ".join(str(error).split()))
        return 2
    if chosen.json:
        sys.stdout.write("".join(f"{json.dumps(row)}\n" for row in rows_of(books)))
        return 0
    print_table(rows_of(books)[-40:], COLUMNS)
    changes = [one for one in books.journal() if not one["key"].endswith("/night")]
    for change in changes[-10:]:
        shown = {k: v for k, v in change.items() if k not in {"key", "scores"}}
        sys.stdout.write(json.dumps(shown) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
