"""What a cone search costs as the catalog grows: synthetic stars, memory-mapped.

``python -m bench.xmatch_scale [--rows 1e6,1e7,1e8] [--folder DIR] [--json]``: builds each catalog,
partition by partition (100 million rows: minutes, 3.4 GB of disk, 5 GB while it is written), then
searches it in batches of 500 alerts, half of them 0.2 arcsec from a star, half anywhere. Every
tenth star moves. What is built is deleted at the end, or stays in ``--folder`` for other runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cdshealpix import nested

from shared.sky.catalog_files import SortedCatalogFiles, mapped_catalog
from shared.sky.catalog_layers import SkyRows
from shared.sky.cone_search import Queries, SortedCatalog, cone_search
from shared.sky.proper_motion import ProperMotion

RADIUS_ARCSEC = 1.5
BATCH = 500
ALERTS = 100_000
PARTITION_ORDER = 3
PARTITIONS = 12 * 4**PARTITION_ORDER


def build(folder: Path, rows: int) -> None:
    """Write a catalog of stars all over the sky, one partition in memory at a time."""
    rng = np.random.default_rng(rows)
    sizes = rng.multinomial(rows, np.full(PARTITIONS, 1 / PARTITIONS))
    depth = 2 * (29 - PARTITION_ORDER)
    with SortedCatalogFiles(folder, 2016.0) as files:
        for partition, size in enumerate(sizes):
            cells = (partition << depth) | rng.integers(0, 1 << depth, size)
            lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), 29)
            speed = np.where(rng.uniform(size=size) < 0.1, rng.lognormal(2.0, 1.2, size), 0.0)
            motion = ProperMotion(speed, -speed, 2016.0)
            files.add(SkyRows(lon.deg % 360.0, lat.deg, RADIUS_ARCSEC, motion))
        files.finish()


def batches(catalog: SortedCatalog, seed: int) -> list[Queries]:
    """Alerts of one night in 2026: half on stars, half anywhere."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(ALERTS // BATCH):
        x, y, z = catalog.vectors[rng.integers(0, len(catalog), BATCH)].T
        on_star = rng.uniform(size=BATCH) < 0.5
        off = rng.normal(0, 0.2 / 3_600, (2, BATCH))
        ra = np.where(on_star, np.degrees(np.arctan2(y, x)) + off[0], rng.uniform(0, 360, BATCH))
        anywhere = np.degrees(np.arcsin(rng.uniform(-1, 1, BATCH)))
        dec = np.where(on_star, np.degrees(np.arctan2(z, np.hypot(x, y))) + off[1], anywhere)
        made.append(Queries.at(ra, np.clip(dec, -90, 90), 2026.0))
    return made


def resident_mib() -> dict[str, float]:
    """Resident memory of this process: its own, and pages of mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if line.startswith("Rss"))
    return {name: int(text.split()[0]) / 1024 for name, text in fields.items()}


def us_per_alert(catalog: SortedCatalog, work: list[Queries]) -> tuple[float, int]:
    """CPU time of one pass, microseconds per alert, and matches found."""
    started, found = time.process_time(), 0
    for queries in work:
        found += len(cone_search(catalog, queries).row)
    return (time.process_time() - started) / (len(work) * BATCH) * 1e6, found


def built(rows: int, parent: Path) -> tuple[Path, float]:
    """The folder of a catalog of so many rows, and the seconds it took to build it here."""
    folder = parent / str(rows)
    if folder.is_dir():
        return folder, 0.0
    making = parent / f".{rows}"
    making.mkdir(parents=True)
    started = time.perf_counter()
    build(making, rows)
    making.rename(folder)
    return folder, time.perf_counter() - started


def measure(rows: int, parent: Path) -> dict[str, Any]:
    """Build if need be, and search."""
    folder, build_s = built(rows, parent)
    before = resident_mib()
    catalog = mapped_catalog(folder)
    first, second = batches(catalog, 1), batches(catalog, 2)
    cone_search(catalog, first[0])
    new_pages, found = us_per_alert(catalog, first)
    elsewhere, _ = us_per_alert(catalog, second)
    again = min(us_per_alert(catalog, first)[0] for _ in range(3))
    after = resident_mib()
    return {
        "rows": rows,
        "build_s": build_s,
        "bytes_per_row": sum(path.stat().st_size for path in folder.iterdir()) / rows,
        "matches": found,
        "us_per_alert_first_pass": new_pages,
        "us_per_alert_other_alerts": elsewhere,
        "us_per_alert_best_of_three": again,
        "mapped_resident_mib": after["RssFile"] - before["RssFile"],
        "own_resident_mib": after["RssAnon"],
    }


def numbers(text: str) -> npt.NDArray[np.int64]:
    """``1e6,1e7`` as integers."""
    return np.array([float(part) for part in text.split(",")]).astype(np.int64)


def main() -> None:
    """Print one line for each size, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1e6,1e7,1e8")
    parser.add_argument("--folder", type=Path, help="keep the catalogs here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as temporary:
        for rows in numbers(asked.rows).tolist():
            figures.append(measure(rows, asked.folder or Path(temporary)))
            if not asked.json:
                print("  ".join(f"{k} {v:,.2f}" for k, v in figures[-1].items()), flush=True)
    if asked.json:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
