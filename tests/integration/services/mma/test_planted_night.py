"""849 real alerts of 2024-01-15 against the real notices of those days, both directions."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from services.ingest.framing import SchemaBook, official_schema_by_id
from services.ingest.normalise import normalise
from services.mma.candidates import FIRST_DETECTION, HISTORY_START, Candidates
from services.mma.correlator import Correlator
from services.mma.notice_files import notice_paths, read_path
from services.mma.statistics.alert_density import AlertDensity
from shared.kafka.records import Packet
from shared.packets.files import iter_packets
from shared.sky.healpix import healpix29_of

DATA = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
NIGHT = DATA / "ztf" / "night_20240115_849_no_cutouts.parquet"
NOTICES = DATA / "notices" / "fink_mm_2024-01-12_15_gcn"
# Where alerts were moved to so that they coincide with a burst of Fermi GBM (SOURCE.txt there).
PLANTED_DEG = {(189.8481, -37.5295), (191.1, -31.54), (191.8481, -35.5295),
               (192.8481, -34.5295), (193.1, -29.54), (194.1, -28.54)}  # fmt: skip

pytestmark = pytest.mark.shelf


@pytest.fixture(scope="module")
def night():
    if not NIGHT.exists() or not NOTICES.exists():
        pytest.skip(f"{NIGHT} or {NOTICES} is not here; set TOCSIN_DATA")
    files = list(iter_packets([NIGHT], print))
    packets = [Packet(file.name, 0, 0, 0, None, file.payload) for file in files]
    batches = [
        b.batch for b in normalise(packets, SchemaBook(official_schema_by_id), None, 0).batches
    ]
    assert sum(len(batch) for batch in batches) == 849
    return batches, [read_path(path) for path in notice_paths([NOTICES])]


def told(batches, notices, *, alerts_first):
    worker = Correlator()
    news = []
    if alerts_first:
        for batch in batches:
            worker.correlate(batch)
    for notice in notices:
        worker.take_notice(notice)
    if alerts_first:
        return worker.settle()
    for batch in batches:
        news += worker.correlate(batch).associations
    return news


def test_planted_alerts_are_associated_with_their_burst(night):
    found = told(*night, alerts_first=False)
    burst = [a for a in found if a.event_id == "Fermi_GBM_726746786"]
    places = {(round(a.ra_deg, 4), round(a.dec_deg, 4)) for a in burst}
    assert places >= PLANTED_DEG
    assert all(0 <= a.time_offset_days + 0.05 <= 10.05 for a in burst)


def is_planted(association):
    return (round(association.ra_deg, 4), round(association.dec_deg, 4)) in PLANTED_DEG


def test_all_planted_alerts_rank_above_everything_else_of_their_burst(night):
    """48 alerts at six places; their history begins with them, that of 36 others long before."""
    found = told(*night, alerts_first=True)
    burst = [a for a in found if a.event_id == "Fermi_GBM_726746786"]
    planted = [a for a in burst if is_planted(a)]
    others = [a for a in burst if not is_planted(a)]
    assert (len(planted), len({a.object_id for a in planted})) == (48, 48)
    assert len(others) >= 30
    assert {a.tier for a in others} == {"vetoed"}
    assert all(a.tier != "vetoed" for a in planted)

    def place(association):
        return (association.tier == "vetoed", -association.ln_bayes)

    assert max(map(place, planted)) < min(map(place, others))


def test_chance_counts_elsewhere_agree_with_what_is_expected(night):
    """Half of the night's alerts, turned in right ascension, say how many the other half has."""
    batches, notices = night
    worker = Correlator()
    for notice in notices:
        worker.take_notice(notice)
    events = worker.events.snapshot().events
    table = pa.Table.from_batches([Candidates.of_alerts(b).record_batch for b in batches])
    (alerts,) = table.combine_chunks().to_batches()
    planted = [(round(r, 4), round(d, 4)) in PLANTED_DEG for r, d in zip(
        alerts["ra_deg"].to_pylist(), alerts["dec_deg"].to_pylist(), strict=True)]  # fmt: skip
    usable = ~np.array(planted) & ~Candidates(alerts).flags("is_solar_system")
    rng = np.random.default_rng(0)
    counted, expected = 0, 0.0
    for _ in range(6):
        ra = (Candidates(alerts).numbers("ra_deg") + rng.uniform(0, 360)) % 360
        dec = Candidates(alerts).numbers("dec_deg")
        cells = healpix29_of(ra, dec)
        told_half = rng.random(len(ra)) < 0.5
        mjd = Candidates(alerts).numbers("mjd_tai")
        columns = {"ra_deg": ra, "healpix29": cells, FIRST_DETECTION: mjd, HISTORY_START: mjd}
        turned = alerts
        for name, values in columns.items():
            at = turned.schema.get_field_index(name)
            turned = turned.set_column(at, name, pa.array(values))
        density = AlertDensity()
        density.add(Candidates(turned.filter(pa.array(usable & told_half))))
        footprint = density.background().footprint
        rest = np.flatnonzero(usable & ~told_half)
        for event in events:
            levels = event.region.credible_levels(ra[rest], dec[rest], cells[rest])
            inside = rest[levels <= 0.9]
            counted += len(inside)
            if len(inside):
                last = inside[[int(np.argmax(levels[levels <= 0.9]))]]
                expected += footprint.expected_counts(
                    event.region, (60324.0, 60325.0), np.array([0.9]),
                    event.region.searched_areas_deg2(ra[last], dec[last], cells[last]),
                    cells[last])[0]  # fmt: skip
    assert counted > 2000
    assert counted / expected == pytest.approx(1.0, abs=0.15)


def test_the_other_direction_finds_the_same(night):
    one = told(*night, alerts_first=False)
    other = told(*night, alerts_first=True)
    assert {a.association_id: round(a.credible_level, 9) for a in one} == {
        a.association_id: round(a.credible_level, 9) for a in other
    }
    assert len(one) > 300
