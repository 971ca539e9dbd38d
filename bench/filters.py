"""What filters cost: µs of CPU per alert, fused and one by one, and to encode what is wanted.

``python -m bench.filters [--json]``. Filters are distinct: the shipped ones, then variations of
them in their numbers, every second one with a SELECT of its own. Batches are takes of envelopes of
100 alerts. ``--backtest FOLDER`` asks the archive that ``bench.archive_month`` has made instead.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from services.distribute.deliver import outgoing_alerts
from services.portal.filters.backtest import Backtest, newest_nights
from shared.archive.snapshots import current_snapshot
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.user_filter import UserFilter
from shared.kafka.records import Envelope, Record
from shared.testing.published import published_batch

TEMPLATES = (
    "magnitude_ab < {m} AND days_since_first_detection < {d} AND reliability > {r}"
    " AND abs(galactic_latitude()) > 10 AND NOT is_solar_system AND match_of('gcvs') IS NULL",
    "early_sn_ia.probability > {r} AND reliability > 0.5 AND NOT is_solar_system",
    "match_of('openngc').separation_arcsec < {d} AND flux_njy > 0 AND reliability > {r}",
    "best_credible_level <= {r} AND NOT is_solar_system",
    "n_detections >= {n} AND signal_to_noise > {d} AND band = 'g'",
    "peak_flux_njy > 1.5 * flux_njy AND days_since_first_detection BETWEEN 0.02 AND {d}",
    "cone({d}, {n}, 3600) AND magnitude_ab < {m}",
    "survey_fields.drb > {r} AND nearest_separation_arcsec < {d} AND n_matches > 0",
)
"""Clauses of the kinds the shipped filters have."""


SELECT = "SELECT object_id, ra_deg, dec_deg, magnitude_ab, mjd_tai, n_detections FROM alerts WHERE "


def distinct_filters(count: int) -> list[UserFilter]:
    """``count`` filters, no two alike; every second sends columns of its own choice."""
    clauses = (
        template.format(m=15 + n * 0.03, d=1 + n * 0.1, r=0.3 + n * 0.005, n=2 + n)
        for n in itertools.count()
        for template in TEMPLATES
    )
    return [
        UserFilter(
            name=f"f{n}", select=SELECT * (n % 2) + clause, description="bench", owner="bench"
        )
        for n, clause in enumerate(itertools.islice(clauses, count))
    ]


def us_per_alert(work: Callable[[], object], alerts: int, seconds: float = 1.0) -> float:
    """CPU of ``work`` per alert, microseconds; the first call, which plans, is not counted."""
    work()
    calls, started, end = 0, time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        work()
        calls += 1
    return (time.process_time() - started) / calls / alerts * 1e6


def measure(filters: int, alerts: int) -> dict[str, float]:
    """One row of the table."""
    batches = [published_batch(100, seed=n, points=50) for n in range(alerts // 100)]
    table = pa.Table.from_batches([batch.record_batch for batch in batches])
    chosen = distinct_filters(filters)
    fused = FilterEngine(chosen)
    single = [FilterEngine([each]) for each in chosen]
    envelopes = [
        Envelope(Record("alerts.correlated", 0, n, 0, None, b""), batch)
        for n, batch in enumerate(batches)
    ]
    broken = UserFilter(name="broken", select="object_id::INT > 1", description="b", owner="b")
    beside = FilterEngine([*chosen, broken])
    beside.select(table, "ztf")
    outgoing = outgoing_alerts(fused, envelopes, "")
    wanted = {message.headers[0] for messages in outgoing.values() for message in messages}
    return {
        "filters": filters,
        "batch": alerts,
        "fused_us": us_per_alert(lambda: fused.select(table, "ztf"), alerts),
        "beside_broken_us": us_per_alert(lambda: beside.select(table, "ztf"), alerts),
        "one_by_one_us": us_per_alert(lambda: [e.select(table, "ztf") for e in single], alerts),
        "with_delivery_us": us_per_alert(lambda: outgoing_alerts(fused, envelopes, ""), alerts),
        "wanted_share": len(wanted) / alerts,
        "messages_per_alert": sum(map(len, outgoing.values())) / alerts,
    }


def backtest(root: Path) -> dict[str, float]:
    """A filter of each kind on an archive that ``bench.archive_month make`` has made: seconds."""
    snapshot = current_snapshot(root, "ztf")
    if snapshot is None:
        sys.exit(f"nothing below {root}: python -m bench.archive_month make {root}")
    found: dict[str, float] = {"alerts": snapshot.alerts, "nights": len(snapshot.nights)}
    for name, clause in (
        ("scalars", "magnitude_ab < 19 AND reliability > 0.9 AND abs(dec_deg) < 10"),
        ("matches", "reliability > 0.9 AND match_of('gcvs').separation_arcsec < 2"),
        ("light_curves", "days_since_first_detection < 5 AND peak_flux_njy > 20000"),
    ):
        each = UserFilter(name="it", select=SELECT + clause, description="b", owner="b")
        test = Backtest(each, Limits(memory_mib=512, seconds=60), {}, 600)
        test.ask_snapshot(snapshot, newest_nights([snapshot], len(snapshot.nights)))
        report = test.finished()
        found[f"{name}_s"], found[f"{name}_share"] = report.seconds, report.share or 0.0
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--backtest", type=Path, metavar="FOLDER", help="on an archive's Parquet")
    arguments = parser.parse_args()
    if arguments.backtest:
        print(json.dumps(backtest(arguments.backtest), indent=1))
        return
    rows = [measure(filters, alerts) for filters in (6, 25, 100) for alerts in (100, 500)]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print(
        "filters batch | µs/alert: fused  beside broken  one by one  fused + Avro | wanted"
        "  messages/alert"
    )
    for row in rows:
        print(
            f"{row['filters']:7d} {row['batch']:5d} | {row['fused_us']:15.1f} "
            f"{row['beside_broken_us']:14.1f} {row['one_by_one_us']:11.1f} "
            f"{row['with_delivery_us']:13.1f} | "
            f"{row['wanted_share']:6.0%} {row['messages_per_alert']:15.2f}"
        )


if __name__ == "__main__":
    main()
