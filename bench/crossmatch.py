"""CPU per alert of the cross-match, beside astropy and a SciPy k-d tree in the same run.

``python -m bench.crossmatch [--json]``: all catalogs that are installed, half of the alerts on
catalog sources, half anywhere. The yardsticks only find pairs within 1.5 arcsec in VSX; the
cross-match also finds galaxies by their axes and writes the finished Arrow columns.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa
from astropy.coordinates import SkyCoord, search_around_sky
from scipy.spatial import cKDTree

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import open_catalogs
from services.xmatch.catalogs import CATALOGS
from services.xmatch.crossmatch import crossmatch
from services.xmatch.settings import XmatchSettings
from shared.alert_batch import AlertBatch
from shared.sky.cone_search import Queries, cone_search
from shared.sky.separation import ARCSEC_PER_RADIAN
from shared.testing.batches import made_up_batch

RADIUS_ARCSEC = 1.5
BATCH_SIZES = (100, 500)
Batches = list[AlertBatch]


def alerts(vsx: CatalogIndex, size: int, count: int, seed: int) -> Batches:
    """Batches of alerts: half on VSX stars (0.2 arcsec off), half anywhere on the sky."""
    rng = np.random.default_rng(seed)
    batches = []
    for number in range(count):
        batch = made_up_batch(size, seed=seed + number, points=(1, 2)).record_batch
        x, y, z = vsx.positions.vectors[rng.integers(0, len(vsx.positions), size)].T
        off = rng.normal(0, 0.2 / 3_600, (2, size))
        on_star = rng.uniform(size=size) < 0.5
        places = {
            "ra_deg": np.where(on_star, np.degrees(np.arctan2(y, x)) % 360, batch["ra_deg"]),
            "dec_deg": np.where(on_star, np.degrees(np.arcsin(z)), batch["dec_deg"]),
        }
        for shift, (name, values) in zip(off, places.items(), strict=True):
            index = batch.schema.get_field_index(name)
            moved = np.clip(values + shift, -90, 90) if name == "dec_deg" else values + shift
            batch = batch.set_column(index, batch.schema.field(index), pa.array(moved))
        batches.append(AlertBatch(batch))
    return batches


def cpu_us_per_alert(work: Callable[[AlertBatch], Any], batches: Batches) -> float:
    """CPU time of ``work`` per alert, the best of three passes, microseconds."""
    work(batches[0])
    passes = []
    for _ in range(3):
        started = time.process_time()
        for batch in batches:
            work(batch)
        passes.append(time.process_time() - started)
    return min(passes) / sum(map(len, batches)) * 1e6


def measure(catalogs: list[CatalogIndex]) -> dict[str, Any]:
    """All figures, in microseconds of CPU per alert."""
    vsx = next(catalog for catalog in catalogs if catalog.name == "vsx")
    vectors = np.array(vsx.positions.vectors)
    started = time.process_time()
    tree = cKDTree(vectors)
    tree_s = time.process_time() - started
    x, y, z = vectors.T
    sky = SkyCoord(np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z)), unit="deg")
    chord = 2 * np.sin(RADIUS_ARCSEC / ARCSEC_PER_RADIAN / 2)

    def by_tree(batch: AlertBatch) -> int:
        queries = Queries.at(batch.ra_deg, batch.dec_deg)
        return sum(map(len, tree.query_ball_point(queries.vectors, chord)))

    def by_astropy(batch: AlertBatch) -> int:
        places = SkyCoord(batch.ra_deg, batch.dec_deg, unit="deg")
        return len(search_around_sky(places, sky, RADIUS_ARCSEC * u.arcsec)[0])

    def by_cones(batch: AlertBatch) -> int:
        queries = Queries.at(batch.ra_deg, batch.dec_deg)
        return len(cone_search(vsx.positions, queries).row)

    rows = {}
    for size in BATCH_SIZES:
        batches = alerts(vsx, size, 40_000 // size, seed=size)
        few = batches[: max(2, 1_000 // size)]
        if [by_cones(b) for b in few] != [by_tree(b) for b in few] or [
            by_cones(b) for b in few
        ] != [by_astropy(b) for b in few]:
            raise SystemExit("the three methods do not find the same number of pairs")
        rows[str(size)] = {
            "crossmatch, all catalogs, Arrow out": cpu_us_per_alert(
                lambda batch: crossmatch(batch, catalogs, 5), batches
            ),
            **{
                f"crossmatch, {catalog.name} only, Arrow out": cpu_us_per_alert(
                    lambda batch, catalog=catalog: crossmatch(batch, [catalog], 5),  # type: ignore[misc]
                    batches,
                )
                for catalog in catalogs
            },
            "cone search in vsx, pairs only": cpu_us_per_alert(by_cones, batches),
            "scipy cKDTree in vsx, pairs only": cpu_us_per_alert(by_tree, batches),
            "astropy search_around_sky in vsx, pairs only": cpu_us_per_alert(by_astropy, few),
        }
    return {
        "catalogs": {c.name: {"version": c.version, "rows": len(c.positions)} for c in catalogs},
        "ckdtree_build_s": tree_s,
        "cpu_us_per_alert": rows,
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    settings = XmatchSettings()
    catalogs = open_catalogs(list(CATALOGS), settings.catalog_folder())
    if "vsx" not in {catalog.name for catalog in catalogs}:
        raise SystemExit(f"this benchmark needs VSX; run: {CATALOGS['vsx'].mend}")
    figures = measure(catalogs)
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for name, catalog in figures["catalogs"].items():
        print(f"{name}: {catalog['rows']:,} rows, {catalog['version']}")
    print(f"cKDTree of vsx: {figures['ckdtree_build_s']:.1f} s to build at every start\n")
    print(f"{'CPU µs per alert, batches of':46}" + "".join(f"{n:>10}" for n in BATCH_SIZES))
    for label in figures["cpu_us_per_alert"][str(BATCH_SIZES[0])]:
        cells = (figures["cpu_us_per_alert"][str(n)][label] for n in BATCH_SIZES)
        print(f"{label:46}" + "".join(f"{value:10.1f}" for value in cells))


if __name__ == "__main__":
    main()
