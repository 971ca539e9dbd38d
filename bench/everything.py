"""What a mesh in full use has beside the shipped set: more catalogs, more filters, events.

`python -m bench.mesh --everything`: two catalogs of five million made-up stars (a third of which
move) beside those of packages, twenty-five filters instead of seven, and five gravitational-wave
events with sky maps of BAYESTAR's size, in whose windows one object in thirty to sixty appears.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.time import Time

from bench.correlate import bayestar_like_map
from bench.filters import distinct_filters
from bench.processes import tocsin
from services.distribute.filters import DEFAULT_FILE
from shared.filters.user_filter import read_filters
from shared.testing.notices import lvk_json

FILTERS = 25
EVENTS = 5
STARS = 5_000_000
CATALOGS = ("everything_1", "everything_2")
EVENT_MJD_UTC = {"ztf": 60_506.0, "lsst": 61_020.0}
"""Chosen so that 1.5 and 3 of 100 packets are new objects in an event's window and region, which
is what five maps of 1,600 deg2 would give if one alert in eight were of a new object. Older
objects, most of the templates, meet nothing."""


def prepare(state_dir: Path) -> None:
    """Make catalogs and filters, before the mesh starts; the environment names the filters."""
    state_dir.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(CATALOGS):
        if not (state_dir / "catalogs" / name).exists():
            _import_stars(state_dir, name, seed)
    chosen = state_dir / "everything.toml"
    chosen.write_text(filter_text())
    os.environ["TOCSIN_FILTERS_FILE"] = str(chosen)


def send_events(survey: str, state_dir: Path) -> None:
    """Send the events' notices to the running mesh, which then has that many sky maps."""
    when = Time(EVENT_MJD_UTC[survey], format="mjd", scale="utc")
    files = []
    for number in range(EVENTS):
        name = f"S{when.strftime('%y%m%d')}{'abcdefgh'[number]}"
        notice = lvk_json(
            name,
            created=f"{when.isot}Z",
            time=f"{when.isot}Z",
            sky_map=bayestar_like_map(number),
        )
        files.append(state_dir / f"{name}.json")
        files[-1].write_bytes(notice)
    subprocess.run(tocsin("mma", "send", *files), capture_output=True, check=True)


def _import_stars(state_dir: Path, name: str, seed: int) -> None:
    """Import made-up stars, evenly spread over the sky, as a user's own list."""
    rng = np.random.default_rng(seed)
    speed = np.where(rng.uniform(size=STARS) < 1 / 3, rng.lognormal(2.0, 1.2, STARS), 0.0)
    file = state_dir / f"{name}.parquet"
    pq.write_table(
        pa.table(
            {
                "ra": rng.uniform(0, 360, STARS),
                "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, STARS))),
                "name": pa.array(np.arange(STARS)),
                "pmra": speed,
                "pmdec": -speed,
            }
        ),
        file,
    )
    options = (
        "--radius-arcsec", "2", "--kind", "stars", "--id", "name",
        "--column", "pm_ra_masyr=pmra", "--column", "pm_dec_masyr=pmdec",
    )  # fmt: skip
    subprocess.run(
        tocsin("catalogs", "import", name, file, *options), capture_output=True, check=True
    )
    file.unlink()


def filter_text() -> str:
    """TOML of the shipped filters and as many more as make twenty-five."""
    shipped = len(read_filters(DEFAULT_FILE))
    more = (
        f'\n[[filter]]\nname = {json.dumps(each.name)}\ndescription = "made for the benchmark"\n'
        f'owner = "bench"\nselect = {json.dumps(each.select)}\n'
        for each in distinct_filters(FILTERS - shipped)
    )
    return DEFAULT_FILE.read_text() + "".join(more)
