"""849 real alerts of 2024-01-15 against the real notices of those days, both directions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.ingest.framing import SchemaBook, official_schema_by_id
from services.ingest.normalise import normalise
from services.mma.correlator import Correlator
from services.mma.notice_files import notice_paths, read_path
from shared.kafka.records import Packet
from shared.packets.files import iter_packets

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


def test_the_other_direction_finds_the_same(night):
    one = told(*night, alerts_first=False)
    other = told(*night, alerts_first=True)
    assert {a.association_id: round(a.credible_level, 9) for a in one} == {
        a.association_id: round(a.credible_level, 9) for a in other
    }
    assert len(one) > 300
