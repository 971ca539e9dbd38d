"""A month of archive: 2 million simulated alerts of 30 nights as Parquet, and what it answers.

``python -m bench.archive_month make FOLDER [--alerts N]`` runs a few thousand simulated packets
through the services' own code, strews them over sky and nights with their light curves shaken, and
packs every night as the archive does. ``... ask FOLDER [--compact] [--json]`` times, each beside
what a reader without pixels, sorting and pruning would do, in the same run: a backtest with the
stream's own filter engine, a cone, an object, an aggregate over everything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from services.archive.nightly.compact import compact
from services.archive.nightly.pack import pack_night
from services.portal.filters.backtest import Backtest
from shared.archive.alerts import alerts_around
from shared.archive.cones import Cone
from shared.archive.nights import NOON
from shared.archive.query import Question, run_query
from shared.archive.readers import OPERATOR
from shared.archive.snapshots import Snapshot, current_snapshot
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.user_filter import UserFilter
from shared.sky.healpix import healpix29_of

FIRST_NIGHT = 61_000
NIGHTS = 30
NAIVE_NIGHTS = range(FIRST_NIGHT, FIRST_NIGHT + 3)
BACKTEST_LIMITS = Limits(memory_mib=512, seconds=30)
ALERTS = 2_000_000
TEMPLATE_ALERTS = 4_000
PER_TABLE = 8_192
ALERTS_PER_OBJECT = 8
FILTER = (
    "SELECT alert_id, object_id FROM alerts WHERE magnitude_ab < 17.5 AND reliability > 0.8 "
    "AND n_detections >= 3 AND abs(galactic_latitude()) > 10 AND NOT is_solar_system"
)


def template() -> pa.Table:
    """Simulated alerts with every column that the services give them."""
    # ruff: noqa: PLC0415 - only making needs the services' code
    from bench.workload import simulated
    from services.classify.classifiers import load_classifiers
    from services.classify.classify import classify
    from services.ingest.framing import SchemaBook
    from services.ingest.normalise import normalise
    from services.mma.correlate import correlate
    from services.mma.event_store import EventStore
    from services.xmatch.catalog_store import open_catalogs
    from services.xmatch.crossmatch import crossmatch
    from services.xmatch.describe import describe
    from services.xmatch.settings import XmatchSettings
    from services.xmatch.surroundings import surroundings_of
    from shared.kafka.records import Packet

    catalogs = open_catalogs(["openngc"], XmatchSettings().catalog_folder())
    around, classifiers, book = surroundings_of(catalogs), load_classifiers(), SchemaBook()
    active = EventStore().snapshot()
    made = []
    payloads = simulated("ztf", TEMPLATE_ALERTS)
    for first in range(0, len(payloads), 400):
        few = payloads[first : first + 400]
        packets = [Packet("bench", 0, k, 0, None, p) for k, p in enumerate(few)]
        batch = normalise(packets, book, None, 0).batches[0].batch
        classified = classify(describe(crossmatch(batch, catalogs, 5), around), classifiers)
        correlated = correlate(classified, active, 0.95).batch
        made.append(pa.Table.from_batches([correlated.record_batch]))
    return pa.concat_tables(made, promote_options="permissive").combine_chunks()


def night_tables(base: pa.Table, night: int, alerts: int) -> Iterator[pa.Table]:
    """Alerts of one night: the template's, elsewhere, at other times, light curves shaken."""
    rng = np.random.default_rng(night)
    serial = np.arange(alerts) + (night - FIRST_NIGHT) * alerts
    for start in range(0, alerts, PER_TABLE):
        rows = rng.integers(0, base.num_rows, min(PER_TABLE, alerts - start))
        names = serial[start : start + len(rows)]
        objects = names % (alerts * NIGHTS // ALERTS_PER_OBJECT)
        yield strewn(base.take(pa.array(rows)), names, objects, night, rng)


def strewn(
    table: pa.Table,
    serial: np.ndarray,
    objects: np.ndarray,
    night: int,
    rng: np.random.Generator,
) -> pa.Table:
    """The alerts under other names, at other places and times."""
    # An object stays where it is: its place follows from its number alone.
    turn = (objects * 0.6180339887498949) % 1.0
    height = (objects * 0.7548776662466927) % 1.0
    ra_deg = 360.0 * turn
    dec_deg = np.degrees(np.arcsin(1.5 * height - 0.5))
    mjd_tai = night + NOON + rng.uniform(0.2, 0.6, len(serial))
    later = mjd_tai - table["mjd_tai"].to_numpy()
    scale = rng.lognormal(0, 0.3, len(serial))
    replaced: dict[str, Any] = {
        "alert_id": pa.array((3_000_000_000_000 + serial).astype(str)),
        "object_id": pa.array(np.char.add("ZTF26m", objects.astype(str))),
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
        "healpix29": healpix29_of(ra_deg, dec_deg),
        "mjd_tai": mjd_tai,
        "flux_njy": table["flux_njy"].to_numpy() * scale,
        "origin_offset": serial,
    }
    lists = table["lc_mjd_tai"].combine_chunks()
    lengths = pc.list_value_length(lists).to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    times = pc.list_flatten(lists).to_numpy() + np.repeat(later, lengths)
    fluxes = pc.list_flatten(table["lc_flux_njy"].combine_chunks()).to_numpy()
    shaken = fluxes * np.repeat(scale, lengths) * rng.normal(1, 0.02, len(fluxes))
    replaced["lc_mjd_tai"] = pa.ListArray.from_arrays(offsets, pa.array(times))
    replaced["lc_flux_njy"] = pa.ListArray.from_arrays(offsets, pa.array(shaken.astype(np.float32)))
    for name, values in replaced.items():
        field = table.schema.field(name)
        array = values if isinstance(values, pa.Array) else pa.array(values, field.type)
        table = table.set_column(table.schema.get_field_index(name), field, array)
    return table


def make(root: Path, alerts: int) -> None:
    """Pack the month."""
    base = template()
    per_night = alerts // NIGHTS
    there = current_snapshot(root, "ztf")
    for night in range(FIRST_NIGHT, FIRST_NIGHT + NIGHTS):
        if there is not None and night in there.nights:
            continue  # made by a run before
        started = time.perf_counter()
        pack_night(root, "ztf", night, night_tables(base, night, per_night), expected=per_night)
        print(f"night {night}: {time.perf_counter() - started:.1f} s", flush=True)
    tell_size(root)


def tell_size(root: Path) -> None:
    snapshot = required(root)
    size = sum(file.size_bytes for file in snapshot.files)
    print(
        f"{snapshot.alerts:,} alerts in {len(snapshot.files):,} files of order {snapshot.order}, "
        f"{size / 1e9:.2f} GB, {size / snapshot.alerts:.0f} bytes an alert"
    )


def required(root: Path) -> Snapshot:
    snapshot = current_snapshot(root, "ztf")
    if snapshot is None:
        sys.exit(f"nothing below {root}: make it first")
    return snapshot


def timed(work: Callable[[], int], repeats: int = 3) -> tuple[float, int]:
    """Median seconds, and what the work counted."""
    seconds, count = [], 0
    for _ in range(repeats):
        started = time.perf_counter()
        count = work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), count


def the_filter() -> UserFilter:
    return UserFilter.model_construct(name="bench", select=FILTER, description="", owner="bench")


def backtest(snapshot: Snapshot) -> int:
    """``tocsin filters backtest``: the stream's engine, reading only what the filter names."""
    test = Backtest(the_filter(), BACKTEST_LIMITS, {}, 600.0)
    test.ask_snapshot(snapshot, list(snapshot.nights))
    return test.finished().wanted


def naive_backtest(snapshot: Snapshot) -> int:
    """The same engine on whole alerts, of the files that ``NAIVE_NIGHTS`` have."""
    engine = FilterEngine([the_filter()], BACKTEST_LIMITS)
    wanted = 0
    for file in snapshot.alert_files(NAIVE_NIGHTS):
        for batch in ds.dataset(snapshot.path(file)).to_batches(batch_size=8_192):
            table = pa.Table.from_batches([batch])
            mask = engine.select(table, "ztf").get("bench")
            wanted += 0 if mask is None else int(mask.sum())
    return wanted


def naive_tables(snapshot: Snapshot, columns: list[str] | None) -> Iterator[pa.Table]:
    """Every file in turn, whole: what a reader does that knows nothing of the layout."""
    for file in snapshot.alert_files():
        yield ds.dataset(snapshot.path(file)).to_table(columns=columns)


def naive_cone(snapshot: Snapshot, cone: Cone) -> int:
    from shared.sky.separation import separation_arcsec

    found = 0
    for table in naive_tables(snapshot, ["alert_id", "object_id", "ra_deg", "dec_deg", "mjd_tai"]):
        n = table.num_rows
        away = separation_arcsec(
            table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy(),
            np.full(n, cone.ra_deg), np.full(n, cone.dec_deg),
        )  # fmt: skip
        found += int((away <= cone.radius_arcsec).sum())
    return found


def naive_object(snapshot: Snapshot, object_id: str) -> int:
    wanted = ["alert_id", "object_id", "mjd_tai", "flux_njy"]
    return sum(
        pc.sum(pc.equal(table["object_id"], object_id)).as_py()
        for table in naive_tables(snapshot, wanted)
    )


def ask(root: Path) -> list[dict[str, Any]]:
    """Time each question and its naive alternative."""
    snapshot = required(root)
    first = next(naive_tables(snapshot, ["object_id", "ra_deg", "dec_deg"])).slice(0, 1).to_pylist()
    place = first[0]
    cone = Cone(place["ra_deg"], place["dec_deg"], 60.0)
    named = (
        f"SELECT alert_id, mjd_tai, flux_njy FROM alerts WHERE object_id = '{place['object_id']}'"  # noqa: S608  # ours
    )
    near = f"{named} AND healpix29 BETWEEN {{low}} AND {{high}}"
    cell = int(healpix29_of(cone.ra_deg, cone.dec_deg)[0]) >> 34

    def query(sql: str) -> Callable[[], int]:
        return lambda: run_query(root, Question(sql, OPERATOR)).table.num_rows

    questions: list[tuple[str, Callable[[], int], Callable[[], int] | None]] = [
        ("backtest of a filter", lambda: backtest(snapshot), None),
        ("the same, whole alerts, 3 nights", lambda: naive_backtest(snapshot), None),
        (
            "cone of 60 arcsec",
            lambda: alerts_around([snapshot], OPERATOR, cone).num_rows,
            lambda: naive_cone(snapshot, cone),
        ),
        ("object by name", query(named), lambda: naive_object(snapshot, place["object_id"])),
        (
            "object by name and place",
            query(near.format(low=cell << 34, high=((cell + 1) << 34) - 1)),
            None,
        ),
        (
            "count and mean by night and band",
            query(
                "SELECT night, band, count(*) AS n, avg(magnitude_ab) AS mean FROM alerts "
                "GROUP BY night, band"
            ),
            None,
        ),
        (
            "best supernova Ia of each night",
            query(
                "SELECT night, max(early_sn_ia.probability) AS p FROM alerts "
                "WHERE early_sn_ia.probability > 0.5 GROUP BY night"
            ),
            None,
        ),
    ]
    rows = []
    for name, ours, naive in questions:
        seconds, count = timed(ours)
        row: dict[str, Any] = {"question": name, "seconds": seconds, "found": count}
        if naive is not None:
            row["naive_seconds"], other = timed(naive, repeats=1)
            if other != count:
                sys.exit(f"{name}: {count} found, naively {other}")
        rows.append(row)
        print(row, flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("make", "compact", "ask"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--alerts", type=int, default=ALERTS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.what == "make":
        make(asked.folder, asked.alerts)
    elif asked.what == "compact":
        started = time.perf_counter()
        compact(asked.folder, "ztf")
        print(f"compacted in {time.perf_counter() - started:.1f} s")
        tell_size(asked.folder)
    else:
        rows = ask(asked.folder)
        if asked.json:
            print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
