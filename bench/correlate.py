"""CPU per alert of the correlation with 1, 5, 20 and 300 active sky maps, and its other numbers.

``python -m bench.correlate [--json]``. The maps are made up at BAYESTAR's size (19,200 cells),
every one active for every alert; alerts are anywhere on the sky, in batches of 100.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from services.mma.correlate import correlate
from services.mma.correlator import Correlator
from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from services.mma.skymaps.fits import read_sky_map
from shared.alert_batch import AlertBatch
from shared.schemas.notice import Notice
from shared.sky.healpix import healpix29_of
from shared.testing.notices import lvk_json, multi_order_map, voevent
from shared.testing.placed_alerts import alerts_at

EVENT_COUNTS = (0, 1, 5, 20, 300)
EVENT_MJD = 60324.0
PEAK_DEG = 15.0


def bayestar_like_map(seed: int) -> bytes:
    """A map of 19,200 cells: order 5 refined to 7 about a Gaussian peak, 90 % in 1,600 deg2."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
    coarse = np.arange(12 * 4**5)
    near = rng.permutation(len(coarse))[:2304]
    kept = np.setdiff1d(coarse, near)
    fine = (near[:, None] * 4 + np.arange(4)).ravel()
    uniq = np.concatenate([4 * 4**5 + kept, 4 * 4**6 + fine])
    order = np.concatenate([np.full(len(kept), 5), np.full(len(fine), 6)])
    from cdshealpix.nested import healpix_to_lonlat  # noqa: PLC0415

    lon, lat = healpix_to_lonlat(
        np.concatenate([kept, fine]).astype(np.uint64), order.astype(np.uint8)
    )
    across = np.sin(np.radians(centre[1])) * np.sin(lat.rad)
    across += (
        np.cos(np.radians(centre[1])) * np.cos(lat.rad) * np.cos(lon.rad - np.radians(centre[0]))
    )
    distance_deg = np.degrees(np.arccos(np.clip(across, -1, 1)))
    density = np.exp(-0.5 * (distance_deg / PEAK_DEG) ** 2) + 1e-9
    density /= np.sum(density * 4 * np.pi / (12.0 * 4.0**order))
    return multi_order_map(uniq.tolist(), density.tolist())


def gw_notices(count: int) -> list[Notice]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        read_notice(lvk_json(f"S240115{letters[n // 26]}{letters[n % 26]}",
                             sky_map=bayestar_like_map(n)), 0)
        for n in range(count)
    ]  # fmt: skip


def batches(count: int, size: int, seed: int = 0) -> list[AlertBatch]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        ra, dec = rng.uniform(0, 360, size), np.degrees(np.arcsin(rng.uniform(-1, 1, size)))
        made.append(alerts_at(ra.tolist(), dec.tolist(), EVENT_MJD + rng.uniform(0, 5)))
    return made


def best_us(work: Callable[[], Any], per: int, passes: int = 3) -> float:
    """CPU of ``work`` per unit, the best of some passes, microseconds."""
    costs = []
    for _ in range(passes):
        started = time.process_time()
        work()
        costs.append(time.process_time() - started)
    return min(costs) / per * 1e6


def measure() -> dict[str, Any]:
    alerts = batches(50, 100)
    total = sum(len(batch) for batch in alerts)
    notices = gw_notices(max(EVENT_COUNTS))
    rows = []
    for count in EVENT_COUNTS:
        store = EventStore()
        for notice in notices[:count]:
            store.add(notice)
        snapshot = store.snapshot()
        found = sum(len(correlate(b, snapshot, 0.95).associations) for b in alerts[:5]) / 500
        us = best_us(lambda: [correlate(b, snapshot, 0.95) for b in alerts], total)  # noqa: B023
        rows.append({"active_maps": count, "us_per_alert": us, "associations_per_alert": found})
    return {"correlate": rows, **_look_up(), **_notices(notices), **_late_notice(notices[0])}


def _look_up() -> dict[str, float]:
    region = read_sky_map(bayestar_like_map(0))
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 1_000_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 1_000_000)))
    cells = healpix29_of(ra, dec)
    us = best_us(lambda: region.credible_levels(ra, dec, cells), len(cells))
    return {"positions_per_second": 1e6 / us}


def _notices(notices: list[Notice]) -> dict[str, float]:
    payload = notices[0].payload
    packet = voevent("ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos", params={"TrigID": "12345"})
    fits_bytes = base64.b64decode(json.loads(payload)["event"]["skymap"])
    return {
        "read_lvk_ms": best_us(lambda: read_notice(payload, 0), 1) / 1e3,
        "compile_map_ms": best_us(lambda: read_sky_map(fits_bytes), 1) / 1e3,
        "read_voevent_ms": best_us(lambda: [read_notice(packet, 0) for _ in range(100)], 100) / 1e3,
    }


def _late_notice(notice: Notice) -> dict[str, float]:
    """A notice that comes after 300,000 alerts: time to its list of associations."""
    worker = Correlator()
    for batch in batches(60, 5000, seed=1):
        worker.correlate(batch)
    started = time.perf_counter()
    worker.take_notice(notice)
    told = worker.settle()
    seconds = time.perf_counter() - started
    return {"late_notice_s": seconds, "late_notice_associations": float(len(told))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    result = measure() if parser.parse_args().json else None
    if result is not None:
        print(json.dumps(result))
        return
    result = measure()
    print("active maps   us/alert   associations/alert")
    for row in result.pop("correlate"):
        print(f"{row['active_maps']:11d} {row['us_per_alert']:10.2f}"
              f" {row['associations_per_alert']:14.2f}")  # fmt: skip
    for name, value in result.items():
        print(f"{name:28s} {value:14.4g}")


if __name__ == "__main__":
    main()
