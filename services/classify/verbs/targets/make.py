"""``tocsin targets make``: tonight's ranked list for every facility.

Reads the objects of the last nights and their verdicts from the archive; leaves out what is
classified or claimed; keeps quotas of class, magnitude and sky region; draws 15 to 20 % of the
places at random, with their propensity. Prints the lists as a table; --csv and --json write files;
without --dry-run they go to the `targets` topic. How biased the picks are is printed too.

  tocsin targets make --dry-run
  tocsin targets make --night 61000 --facilities my.toml --csv tonight.csv
  tocsin targets make --simulated            lists of the demo's simulated objects
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from services.classify.learning.nightly.measures import LOOPS, note_targets
from services.classify.learning.targets.bias import bias_metrics
from services.classify.learning.targets.facilities import EXAMPLE, read_facilities
from services.classify.learning.targets.make import NightLists, make_lists
from services.classify.learning.targets.pool import TonightsPool, newest_night, read_pool
from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, print_table, say
from shared.errors import TocsinError
from shared.kafka.admin import ensure_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.target import Target
from shared.settings import ServiceSettings
from shared.store import open_store

COLUMNS = (
    "facility", "rank", "object_id", "ra_deg", "dec_deg", "mag_predicted", "exposure_s", "airmass",
    "programme", "is_random", "propensity", "reason",
)  # fmt: skip


def tonight_mjd() -> int:
    """MJD of the coming or present evening, UTC."""
    return int(time.time() / 86_400.0 + 40_587.0)


def write_csv(path: Path, targets: Sequence[Target]) -> None:
    """All columns but the score's parts, which are columns of their own."""
    with path.open("w", newline="", encoding="utf-8") as sink:
        names = [name for name in Target.model_fields if name != "score_parts"]
        parts = sorted({name for one in targets for name in one.score_parts})
        writer = csv.DictWriter(sink, [*names, *(f"score_{name}" for name in parts)])
        writer.writeheader()
        for one in targets:
            row = one.model_dump(exclude={"score_parts"})
            writer.writerow(row | {f"score_{n}": v for n, v in one.score_parts.items()})


async def send_targets(settings: ServiceSettings, targets: Sequence[Target]) -> None:
    """Put lists on their topic; returns when Kafka has them."""
    topic = Topic.TARGETS.named(settings.topic_prefix)
    await ensure_topics(settings, [topic])
    outbox = Outbox(settings)
    try:
        await outbox.send(topic, [Message(one.to_json(), key=one.key) for one in targets])
    finally:
        await outbox.stop()


async def _pool(settings: ClassifySettings, chosen: argparse.Namespace) -> TonightsPool:
    store = open_store(settings)
    try:
        if chosen.night is None:
            newest = await newest_night(store, simulated=True) if chosen.simulated else None
            chosen.night = tonight_mjd() if newest is None else newest + 1
        return await read_pool(store, chosen.night, chosen.days, simulated=chosen.simulated)
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("make", __doc__ or "", group="targets")
    parser.add_argument(
        "--night", type=int, metavar="MJD",
        help="of the evening (tonight; with --simulated, the one after the newest simulated night)",
    )  # fmt: skip
    parser.add_argument("--days", type=int, default=10, help="nights of alerts that count (10)")
    parser.add_argument("--facilities", type=Path, metavar="TOML", help="facilities and programmes")
    parser.add_argument("--claimed", type=Path, metavar="FILE", help="object ids to leave out")
    parser.add_argument("--simulated", action="store_true", help="simulated objects, flagged")
    parser.add_argument("--seed", type=int, default=0, help="of the random places")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all columns")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write lists and bias metrics")
    parser.add_argument("--dry-run", action="store_true", help="publish nothing")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Make the lists of a night."""
    chosen = _parser().parse_args(argv)
    try:
        settings = ClassifySettings()
        path = chosen.facilities or settings.classify_facilities or EXAMPLE
        facilities = read_facilities(path)
        claimed = set(chosen.claimed.read_text().split()) if chosen.claimed else set()
        pool = asyncio.run(_pool(settings, chosen))
        made = make_lists(
            facilities, pool.candidates, evening_mjd=chosen.night, model_id=pool.model_id,
            made_ms=int(time.time() * 1000), excluded=claimed | pool.classified, seed=chosen.seed,
        )  # fmt: skip
        bias = _bias(made, pool)
        if made.targets and not chosen.dry_run:
            asyncio.run(send_targets(settings, made.targets))
            loop = "simulated" if chosen.simulated else "real"
            note_targets(settings.state_dir / LOOPS[loop], made.targets, bias)
    except (OSError, ValueError, ValidationError, TocsinError) as error:
        say(" ".join(str(error).split()))
        return 2
    _show(chosen, made, pool, bias)
    return 0


def _bias(made: NightLists, pool: TonightsPool) -> dict[str, float]:
    own = pool.candidates
    is_known = np.array([name in pool.classified for name in own.object_id.tolist()], dtype=bool)
    bias = bias_metrics(made.targets, own, own.mag_now[is_known])
    return bias | {"quota_violations": float(made.quota_violations)}


def _show(
    chosen: argparse.Namespace, made: NightLists, pool: TonightsPool, bias: dict[str, float]
) -> None:
    own = pool.candidates
    print_table([one.model_dump() for one in made.targets], COLUMNS)
    say(f"{len(made.targets)} places from {len(own)} objects; dark at {', '.join(made.dark)}")
    say(json.dumps({name: round(value, 4) for name, value in bias.items()}))
    if chosen.csv:
        write_csv(chosen.csv, made.targets)
    if chosen.json:
        places = [one.model_dump() for one in made.targets]
        chosen.json.write_text(json.dumps({"bias": bias, "targets": places}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
