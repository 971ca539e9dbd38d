"""Alerts per second and core of the cross-match, beside astropy and a SciPy k-d tree.

``python -m bench.xmatch [--json]``: VSX alone, then ten catalogs of five million rows in total
(those that packages bring, made up to that with synthetic stars that move), batches of 100 and
500, half of the alerts on stars of VSX, half anywhere. The yardsticks only find pairs within 1.5
arcsec in VSX; ours also apply proper motions, galaxies' axes, and write the finished Arrow
columns. Then the 849 real alerts of one night, where ``TOCSIN_DATA`` has them.

``python -m bench.xmatch_scale`` has the cost at 1 to 100 million rows.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa
from astropy.coordinates import SkyCoord, search_around_sky
from scipy.spatial import cKDTree

from bench.xmatch_night import NIGHT, classes_of_the_night
from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import open_catalogs
from services.xmatch.catalogs import CATALOGS, PACKAGED
from services.xmatch.catalogs.base import CatalogRows
from services.xmatch.crossmatch import crossmatch
from services.xmatch.indexing import index_rows
from services.xmatch.settings import XmatchSettings
from shared.alert_batch import AlertBatch
from shared.sky.cone_search import Queries, cone_search
from shared.sky.separation import ARCSEC_PER_RADIAN
from shared.testing.batches import made_up_batch

RADIUS_ARCSEC = 1.5
BATCH_SIZES = (100, 500)
ALERTS = 40_000
FEW_ALERTS = 1_000
"""For astropy, which takes a fifth of a millisecond for each."""
MOST_PER_CATALOG = 5
TEN = 10
ROWS_OF_TEN = 5_000_000
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


def synthetic_stars(name: str, rows: int, seed: int) -> CatalogIndex:
    """A catalog of stars all over the sky, a third of which move."""
    rng = np.random.default_rng(seed)
    speed = np.where(rng.uniform(size=rows) < 1 / 3, rng.lognormal(2.0, 1.2, rows), 0.0)
    stars = CatalogRows(
        ra_deg=rng.uniform(0, 360, rows),
        dec_deg=np.degrees(np.arcsin(rng.uniform(-1, 1, rows))),
        reach_arcsec=RADIUS_ARCSEC,
        source_id=pa.array(np.arange(rows)),
        source_class=pa.nulls(rows, pa.string()),
        pm_ra_masyr=speed,
        pm_dec_masyr=-speed,
    )
    return index_rows(replace(CATALOGS["vsx"], name=name), stars, "synthetic")


def ten_catalogs(real: Sequence[CatalogIndex]) -> list[CatalogIndex]:
    """The real ones and synthetic ones: ten of five million rows in total."""
    missing = ROWS_OF_TEN - sum(len(catalog.positions) for catalog in real)
    number = TEN - len(real)
    return [*real, *(synthetic_stars(f"stars_{n}", missing // number, n) for n in range(number))]


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


class Yardsticks:
    """Pairs within 1.5 arcsec in VSX, found in three ways."""

    def __init__(self, vsx: CatalogIndex) -> None:
        """Prepare each; the tree takes seconds, at every start of a process."""
        self.vsx = vsx
        vectors = np.array(vsx.positions.vectors)
        started = time.process_time()
        self.tree = cKDTree(vectors)
        self.tree_s = time.process_time() - started
        x, y, z = vectors.T
        self.sky = SkyCoord(
            np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z)), unit="deg"
        )
        self.chord = 2 * np.sin(RADIUS_ARCSEC / ARCSEC_PER_RADIAN / 2)

    def by_tree(self, batch: AlertBatch) -> int:
        """SciPy's k-d tree on unit vectors."""
        queries = Queries.at(batch.ra_deg, batch.dec_deg)
        return sum(map(len, self.tree.query_ball_point(queries.vectors, self.chord)))

    def by_astropy(self, batch: AlertBatch) -> int:
        """``search_around_sky``, whose tree of the catalog is kept between calls."""
        places = SkyCoord(batch.ra_deg, batch.dec_deg, unit="deg")
        return len(search_around_sky(places, self.sky, RADIUS_ARCSEC * u.arcsec)[0])

    def by_cones(self, batch: AlertBatch) -> int:
        """Ours."""
        queries = Queries.at(batch.ra_deg, batch.dec_deg)
        return len(cone_search(self.vsx.positions, queries).row)

    def check(self, few: Batches) -> None:
        """End the run if they do not agree."""
        counts = [[way(b) for b in few] for way in (self.by_cones, self.by_tree, self.by_astropy)]
        if counts[0] != counts[1] or counts[0] != counts[2]:
            raise SystemExit("the three methods do not find the same number of pairs")


def measure(real: list[CatalogIndex]) -> dict[str, Any]:
    """All figures, in microseconds of CPU per alert."""
    vsx = next(catalog for catalog in real if catalog.name == "vsx")
    ten, ways = ten_catalogs(real), Yardsticks(vsx)
    rows: dict[str, dict[str, float]] = {}
    for size in BATCH_SIZES:
        batches = alerts(vsx, size, ALERTS // size, seed=size)
        few = batches[: max(2, FEW_ALERTS // size)]
        ways.check(few)
        rows[str(size)] = {
            "crossmatch, vsx, Arrow out": cpu_us_per_alert(
                lambda batch: crossmatch(batch, [vsx], MOST_PER_CATALOG), batches
            ),
            "crossmatch, ten catalogs, Arrow out": cpu_us_per_alert(
                lambda batch: crossmatch(batch, ten, MOST_PER_CATALOG), batches
            ),
            "cone search in vsx, pairs only": cpu_us_per_alert(ways.by_cones, batches),
            "scipy cKDTree in vsx, pairs only": cpu_us_per_alert(ways.by_tree, batches),
            "astropy search_around_sky, vsx, pairs only": cpu_us_per_alert(ways.by_astropy, few),
        }
    return {
        "catalogs": {c.name: {"version": c.version, "rows": len(c.positions)} for c in ten},
        "ckdtree_build_s": ways.tree_s,
        "cpu_us_per_alert": rows,
        "night": night(real),
    }


def night(real: list[CatalogIndex]) -> dict[str, dict[str, int]]:
    """Classes in VSX and GCVS of the 849 alerts; empty where they are not to be had."""
    path = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / NIGHT
    if not path.is_file():
        return {}
    by_name = {catalog.name: catalog for catalog in real}
    return {
        name: classes_of_the_night(path, by_name[name])
        for name in ("vsx", "gcvs")
        if name in by_name
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures as tables."""
    for name, catalog in figures["catalogs"].items():
        print(f"{name:14}{catalog['rows']:>10,} rows  {catalog['version']}")
    total = sum(catalog["rows"] for catalog in figures["catalogs"].values())
    print(f"{'together':14}{total:>10,} rows")
    print(f"cKDTree of vsx: {figures['ckdtree_build_s']:.1f} s to build at every start\n")
    heads = "".join(f"{f'µs, {n}':>10}{'alerts/s/core':>15}" for n in BATCH_SIZES)
    print(f"{'CPU per alert, in batches of':44}{heads}")
    for label in figures["cpu_us_per_alert"][str(BATCH_SIZES[0])]:
        values = [figures["cpu_us_per_alert"][str(n)][label] for n in BATCH_SIZES]
        print(f"{label:44}" + "".join(f"{us:10.1f}{1e6 / us:15,.0f}" for us in values))
    for name, classes in figures["night"].items():
        print(f"\nclasses in {name} of the night's alerts: ", end="")
        print(", ".join(f"{kind} {count}" for kind, count in classes.items()))


def main() -> None:
    """Print the figures as tables, or as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    settings = XmatchSettings()
    real = open_catalogs(list(PACKAGED)[: TEN - 1], settings.catalog_folder())
    if "vsx" not in {catalog.name for catalog in real}:
        raise SystemExit(f"this benchmark needs VSX; run: {CATALOGS['vsx'].mend}")
    figures = measure(real)
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)


if __name__ == "__main__":
    main()
