"""Multi-messenger matching: how fast, and whether right.

``python -m bench.mma`` measures; ``--reference [--files FOLDER]`` prints the table of reference
values instead (docs/multi-messenger.md); ``--json`` for machines. Maps are made up at BAYESTAR's
size (19,200 cells). Where mocpy or ligo.skymap are installed they do the same on the same maps in
the same process; they are test extras and never needed.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.correlate import batches, bayestar_like_map, best_us, gw_notices
from bench.mma_reference import Files, outcomes, table
from services.mma.candidates import Candidates
from services.mma.correlate import correlate
from services.mma.correlator import Correlator
from services.mma.event_store import EventStore
from services.mma.matching import match
from services.mma.notices import read_notice
from services.mma.skymaps.fits import read_sky_map
from services.mma.skymaps.overlap import overlap
from services.mma.skymaps.volume import volume_levels, volume_levels_by_table
from shared.schemas.notice import Notice
from shared.sky.healpix import healpix29_of
from shared.testing.notices import voevent

POSITIONS = 1_000_000


def look_ups() -> dict[str, float]:
    region = read_sky_map(bayestar_like_map(0))
    rng = np.random.default_rng(0)
    ra = rng.uniform(0, 360, POSITIONS)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, POSITIONS)))
    cells = healpix29_of(ra, dec)
    answers = {
        "positions_per_s": 1e6 / best_us(lambda: region.credible_levels(ra, dec, cells), POSITIONS),
        "positions_from_ra_dec_per_s": 1e6 / best_us(
            lambda: region.credible_levels(ra, dec, healpix29_of(ra, dec)), POSITIONS),
        "exact_overlap_ms": best_us(lambda: overlap(region, region), 1) / 1e3,
    }  # fmt: skip
    return answers | _others(region, ra, dec)


def _others(region: Any, ra: Any, dec: Any) -> dict[str, float]:
    """mocpy: in the 90 % region or not. ligo.skymap: searched_prob, as ours."""
    found: dict[str, float] = {}
    if importlib.util.find_spec("mocpy"):
        from astropy import units  # noqa: PLC0415
        from mocpy import MOC  # noqa: PLC0415

        inside = region.credible_level <= 0.9
        ranges = np.stack([region.first[inside], region.end[inside]], axis=1).astype(np.uint64)
        moc = MOC.from_depth29_ranges(max_depth=29, ranges=ranges)
        lon, lat = ra * units.deg, dec * units.deg
        found["mocpy_contains_per_s"] = 1e6 / best_us(
            lambda: moc.contains_lonlat(lon, lat), len(ra), passes=1
        )
    if importlib.util.find_spec("ligo") and importlib.util.find_spec("ligo.skymap"):
        from astropy.coordinates import SkyCoord  # noqa: PLC0415
        from astropy.table import Table  # noqa: PLC0415
        from ligo.skymap.postprocess.crossmatch import crossmatch  # noqa: PLC0415

        width = (region.end - region.first).astype(np.float64)
        shift = (np.frexp(width)[1].astype(np.int64) - 1) // 2
        uniq = (region.first >> (2 * shift)) + (np.int64(4) << (2 * (29 - shift)))
        sky_map = Table({"UNIQ": uniq, "PROBDENSITY": region.density_per_sr})
        places = SkyCoord(ra, dec, unit="deg")
        started = time.process_time()
        result = crossmatch(sky_map, places)
        found["ligo_skymap_crossmatch_per_s"] = len(ra) / (time.process_time() - started)
        ours = region.credible_levels(ra, dec, healpix29_of(ra, dec))
        found["largest_difference_from_ligo_skymap"] = float(
            np.abs(result.searched_prob - ours).max()
        )
    return found


def against_events(notices: list[Notice]) -> dict[str, float]:
    """1,000 alerts against 50 active events, and each of 1,000 against 300 maps.

    Every map is large and active, so that an alert is in one of ten: what is told of each
    association costs more than finding it, and is given apart.
    """
    alerts, (thousand,) = batches(4, 250), batches(1, 1000)
    found = {}
    for count in (50, len(notices)):
        store = EventStore()
        for notice in notices[:count]:
            store.add(notice)
        snapshot = store.snapshot()
        matched = best_us(
            lambda: [match(Candidates.of_alerts(b), snapshot, 0.95) for b in alerts],  # noqa: B023
            1000,
        )
        us = best_us(lambda: [correlate(b, snapshot, 0.95) for b in alerts], 1000)  # noqa: B023
        associations = sum(len(correlate(b, snapshot, 0.95).associations) for b in alerts)
        found[f"match_thousand_alerts_{count}_maps_ms"] = matched
        found[f"match_alert_against_{count}_maps_us"] = matched
        found[f"correlate_thousand_alerts_{count}_maps_ms"] = us
        found[f"correlate_one_batch_of_thousand_{count}_maps_ms"] = best_us(
            lambda: correlate(thousand, snapshot, 0.95),  # noqa: B023
            1000,
        )
        found[f"associations_per_alert_{count}_maps"] = associations / 1000
        found[f"evidence_and_record_per_association_{count}_maps_us"] = (
            (us - matched) * 1000 / associations
        )
    return found


def against_bursts() -> dict[str, float]:
    """1,000 alerts through all of ``correlate`` with 50 active bursts of 5 degrees: a usual day."""
    rng = np.random.default_rng(7)
    store = EventStore()
    for number in range(50):
        place = (float(rng.uniform(0, 360)), float(rng.uniform(-60, 60)), 5.0)
        ivorn = f"ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos_{number}"
        params = {"TrigID": str(7_000_000 + number)}
        store.add(read_notice(voevent(ivorn, place=place, params=params), 0))
    snapshot = store.snapshot()
    alerts, (thousand,) = batches(4, 250), batches(1, 1000)
    found = sum(len(correlate(b, snapshot, 0.95).associations) for b in alerts)
    return {
        "active_bursts": float(len(snapshot.events)),
        "associations_per_alert_bursts": found / 1000,
        "correlate_thousand_alerts_bursts_ms": best_us(
            lambda: [correlate(b, snapshot, 0.95) for b in alerts], 1000
        ),
        "correlate_one_batch_of_thousand_bursts_ms": best_us(
            lambda: correlate(thousand, snapshot, 0.95), 1000
        ),
    }


def notices_and_memory(notices: list[Notice]) -> dict[str, float]:
    """Notice to index, a notice after a million alerts, and the memory of 500 maps."""
    payload = notices[0].payload
    fits_bytes = base64.b64decode(json.loads(payload)["event"]["skymap"])
    found = {"compile_map_ms": best_us(lambda: read_sky_map(fits_bytes), 1) / 1e3}

    def index() -> None:
        EventStore().add(read_notice(payload, 0))

    found["notice_to_index_ms"] = best_us(index, 1) / 1e3
    worker = Correlator(max_recent_alerts=1_000_000)
    for batch in batches(200, 5000, seed=1):
        worker.remember(Candidates.of_alerts(batch))
    found["recent_alerts"] = float(len(worker.recent_alerts))
    started, started_cpu = time.perf_counter(), time.process_time()
    worker.take_notice(notices[0])
    told = worker.settle()
    found["notice_against_recent_s"] = time.perf_counter() - started
    found["notice_against_recent_cpu_s"] = time.process_time() - started_cpu
    found["notice_against_recent_told"] = float(len(told))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    maps = [read_sky_map(bayestar_like_map(n)) for n in range(500)]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    arrays = ("first", "end", "density_per_sr", "credible_level", "level_steps",
              "area_steps_deg2", "rank")  # fmt: skip
    found["maps_500_arrays_mb"] = sum(getattr(m, a).nbytes for m in maps for a in arrays) / 1e6
    found["maps_500_grew_peak_memory_mb"] = (after - before) / 1e3
    return found


def volumes(folder: Path | None) -> dict[str, float]:
    """3-D levels on the real map of S190425z, if it is here."""
    try:
        sky_map = Files(folder).map("GW190425_S190425z_bayestar_initial.fits.gz")
    except FileNotFoundError:
        return {}
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 12 << 58, 2000)
    distance = rng.uniform(30, 300, 2000)
    started = time.process_time()
    volume_levels_by_table(sky_map, cells, distance)
    table_s = time.process_time() - started
    us = best_us(lambda: volume_levels(sky_map, cells[:200], distance[:200]), 200, passes=1)
    exact, quick = (f(sky_map, cells[:200], distance[:200])
                    for f in (volume_levels, volume_levels_by_table))  # fmt: skip
    return {
        "volume_table_s": table_s,
        "volume_exact_us_per_position": us,
        "volume_table_largest_error": float(np.abs(exact - quick).max()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reference", action="store_true", help="values, not speeds")
    parser.add_argument("--files", type=Path, help="folder with the public maps")
    options = parser.parse_args()
    if options.reference:
        found = list(outcomes(Files(options.files)))
        print(table(found), end="")
        missing = sum(one.ours is None for one in found)
        differ = sum(one.ours is not None and not one.agrees for one in found)
        print(f"\n{len(found)} values: {len(found) - missing - differ} agree, {differ} differ, "
              f"{missing} without their file.")  # fmt: skip
        return 1 if differ else 0
    notices = gw_notices(300)
    result = {
        **look_ups(),
        **against_events(notices),
        **against_bursts(),
        **notices_and_memory(notices),
        **volumes(options.files),
    }
    if options.json:
        print(json.dumps(result))
        return 0
    for name, value in result.items():
        print(f"{name:38s} {value:14.5g}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
