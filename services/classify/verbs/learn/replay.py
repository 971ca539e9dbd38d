"""``tocsin learn replay``: play whole seasons of active learning, and see whether it helps.

Each round, or night: classify, choose, "observe", learn again, judge on objects never asked for.

  whole  the season on whole light curves, from the spectroscopic sample or from ten objects; for
         SNPCC with the curves of Ishida et al. 2019 (arXiv:1804.03765) in the same plot
  nights the season night by night: an object can be asked for only as bright as it is that
         night, and each spectrum costs its exposure time

  tocsin learn replay                                     both, a few minutes
  tocsin learn replay --kind whole --start ten --queries 300
  tocsin learn replay --season plasticc --queries 300     many kinds of object, from ten of them
  tocsin learn replay --strategies uncertainty mutual_information --diverse --seeds 5
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from services.classify.figures.learning import plot_nights, plot_seasons
from services.classify.learning.active.nights import NIGHT_WAYS, Nights, play_nights
from services.classify.learning.active.pool import POOLS, Pool
from services.classify.learning.active.published import published_curves
from services.classify.learning.active.season import (
    RANDOM_WAYS,
    STARTS,
    Season,
    play,
    rows_of,
)
from services.classify.learning.active.strategies import STRATEGIES
from services.classify.verbs.learn.choices import (
    add_data,
    add_runs,
    parser_of,
    print_table,
    say,
    write_results,
)

TITLES = {"snpcc": "SNPCC", "plasticc": "PLAsTiCC"}
SHOWN = (0, 100, 300, 1_000)
COLUMNS = (
    "name", "queries", "accuracy", "efficiency", "purity", "figure_of_merit", "median_mag_r",
)  # fmt: skip
NIGHT_COLUMNS = (
    "name", "night", "spectra", "exposure_h", "accuracy", "efficiency", "purity",
    "figure_of_merit",
)  # fmt: skip


def _whole(pool: Pool, chosen: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in chosen.strategies:
        for seed in range(chosen.seeds):
            season = Season(
                start=chosen.start, strategy=name, queries=chosen.queries,
                is_diverse=chosen.diverse and name not in RANDOM_WAYS, seed=seed,
            )  # fmt: skip
            rows += [{"name": name, **row} for row in rows_of(season, play(pool, season))]
            say(f"{name}, seed {seed}: {rows[-1]['figure_of_merit']:.3f}")
    return rows


def _nights(pool: Pool, chosen: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in NIGHT_WAYS:
        for seed in range(chosen.seeds):
            nights = Nights(way=name, budget_h=chosen.budget, seed=seed)
            rows += [{"name": name, "seed": seed, **row} for row in play_nights(pool, nights)]
            say(f"nights, {name}, seed {seed}: {rows[-1]['figure_of_merit']:.3f}")
    return rows


def mean_rows(rows: list[dict[str, Any]], x: str, at: set[int] | None) -> list[dict[str, Any]]:
    """Means over seeds, for every name and place; of some places only, and the last."""
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(row["name"] for row in rows):
        places = sorted({row[x] for row in rows if row["name"] == name})
        for place in places:
            if at is not None and place not in at and place != places[-1]:
                continue
            own = [row for row in rows if row["name"] == name and row[x] == place]
            numbers = [k for k, v in own[0].items() if isinstance(v, float)]
            mean = {k: sum(row[k] for row in own) / len(own) for k in numbers}
            found.append({**own[0], **mean})
    return found


def _parser() -> Any:
    parser = parser_of("replay", __doc__ or "")
    add_data(parser)
    parser.add_argument("--kind", choices=["whole", "nights", "both"], default="both")
    parser.add_argument("--season", choices=list(POOLS), default="snpcc")
    parser.add_argument(
        "--start", choices=STARTS, help="what is known at first (SNPCC: spectroscopic; else ten)"
    )
    names = [*RANDOM_WAYS, *STRATEGIES]
    parser.add_argument(
        "--strategies", nargs="+", choices=names,
        help="(random uncertainty, and canonical where there is a spectroscopic sample)",
    )  # fmt: skip
    parser.add_argument("--diverse", action="store_true", help="choose objects unlike each other")
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--budget", type=float, default=6.0, help="exposure hours a night (6)")
    add_runs(parser, "learn-replay")
    return parser


def _complete(chosen: Any, *, has_spectra: bool) -> None:
    """What was not chosen, by the season; raises ``ValueError`` for what it cannot give."""
    if chosen.start is None:
        chosen.start = "spectroscopic" if has_spectra else "ten"
    if chosen.strategies is None:
        chosen.strategies = ["random", *(["canonical"] if has_spectra else []), "uncertainty"]
    if not has_spectra and (chosen.start == "spectroscopic" or "canonical" in chosen.strategies):
        raise ValueError(f"{chosen.season} has no spectroscopic sample: start from ten objects")


def main(argv: list[str] | None = None) -> int:
    """Play, print the tables, draw the plots."""
    chosen = _parser().parse_args(argv)
    output: Path = chosen.output
    try:
        pool = POOLS[chosen.season](chosen.data)
        _complete(chosen, has_spectra=bool(pool.is_spectroscopic.any()))
    except (FileNotFoundError, ValueError) as error:
        say(str(error))
        return 2
    results: list[dict[str, Any]] = []
    with threadpool_limits(1):
        if chosen.kind in {"whole", "both"}:
            rows = _whole(pool, chosen)
            print_table(mean_rows(rows, "queries", set(SHOWN)), COLUMNS)
            is_theirs = chosen.season == "snpcc" and chosen.start == "spectroscopic"
            published = published_curves(chosen.data) if is_theirs else {}
            start = "ten objects" if chosen.start == "ten" else "the spectroscopic sample"
            title = f"{TITLES[chosen.season]} from {start}, whole light curves"
            name = f"whole_{chosen.start}.png"
            plot_seasons(rows, published, output / name, title)
            results += rows
        if chosen.kind in {"nights", "both"}:
            rows = _nights(pool, chosen)
            print_table(mean_rows(rows, "night", set(range(0, 400, 30))), NIGHT_COLUMNS)
            title = (
                f"{TITLES[chosen.season]} night by night, {chosen.budget:g} h of exposure a night"
            )
            measures = ("figure_of_merit", "purity", "spectra")
            plot_nights(rows, output / "nights.png", "night", measures, title)
            results += rows
    write_results(output, results)
    say(f"plots: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
