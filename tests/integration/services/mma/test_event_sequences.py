"""Real sequences of notices: states and counts are those of a run from scratch."""

from __future__ import annotations

import base64
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from services.mma.correlator import Correlator
from services.mma.notice_files import read_path
from services.mma.notices import read_notice
from services.mma.notices.times import mjd_tai_of_iso
from shared.testing.placed_alerts import alerts_at

NOTICES = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices"
SCIENCE = NOTICES / "voevent_science_2014-2023_27881.tar.xz"
BAYESTAR = NOTICES / "skymaps" / "GW190425_S190425z_bayestar_initial.fits.gz"
MOCK = NOTICES / "skyportal" / "igwn_gwalert_preliminary.json.gz"
MOCK_RETRACTION = NOTICES / "skyportal" / "igwn_gwalert_retraction.json"
ALERTS = 400

pytestmark = pytest.mark.shelf


def needed(*paths):
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here; set TOCSIN_DATA")


@pytest.fixture(scope="module")
def packets():
    """The VOEvents of the two superevents, by name."""
    needed(SCIENCE)
    wanted = ("S190425z-", "S230518h-")
    with tarfile.open(SCIENCE, "r|xz") as archive:
        found = {
            member.name.rpartition("/")[2]: archive.extractfile(member).read()
            for member in archive
            if member.name.rpartition("/")[2].startswith(wanted)
        }
    return {name: read_notice(payload, 0) for name, payload in sorted(found.items())}


def gwalert(superevent, kind, time, created, sky_map):
    """An igwn.gwalert around a real map: LVC's VOEvents carry a link to theirs."""
    event = None
    if kind != "RETRACTION":
        event = {"time": time, "far": 4.5e-13, "instruments": ["L1", "V1"], "properties": {},
                 "classification": {"BNS": 0.999}, "significant": True,
                 "skymap": base64.b64encode(sky_map).decode()}  # fmt: skip
    said = {"alert_type": kind, "time_created": created, "superevent_id": superevent,
            "event": event}  # fmt: skip
    return read_notice(json.dumps(said).encode(), 0)


def sky_of_alerts(event_mjd):
    """Alerts all over the sky, two days after the event."""
    generator = np.random.default_rng(7)
    ra = generator.uniform(0, 360, ALERTS)
    dec = np.degrees(np.arcsin(generator.uniform(-1, 1, ALERTS)))
    return alerts_at(ra, dec, event_mjd + 2.0, is_simulated=True)


def played(*steps):
    worker = Correlator()
    for step in steps:
        if isinstance(step, tuple):
            (batch,) = step
            for one in worker.correlate(batch).associations:
                worker.take_association(one)
            continue
        worker.take_notice(step)
        for one in worker.settle():
            worker.take_association(one)
    return worker


def state_of(worker, key):
    standing = {a.alert_id: round(a.credible_level, 9) for a in worker.ledger.standing(key)}
    (line,) = [line for line in worker.event_news() if (line.role, line.event_id) == key]
    return line.state, line.version, standing


def test_s190425z_of_the_archive_and_its_map(packets):
    needed(BAYESTAR)
    voevents = [n for name, n in packets.items() if name.startswith("S190425z")]
    assert [n.alert_kind for n in voevents] == ["initial", "update"]
    key = ("observation", "S190425z")
    time = voevents[0].event_time
    mapped = gwalert("S190425z", "INITIAL", time, "2019-04-25T09:00:00Z", BAYESTAR.read_bytes())
    gone = gwalert("S190425z", "RETRACTION", time, "2019-04-30T00:00:00Z", b"")
    alerts = (sky_of_alerts(mjd_tai_of_iso(time)),)
    before = state_of(played(alerts, *voevents), key)
    assert before == ("unplaced", 2, {})
    state, version, standing = state_of(played(alerts, *voevents, mapped), key)
    assert (state, version) == ("active", 3)
    # 95 % of this map cover a third of the sky.
    assert 0.2 * ALERTS < len(standing) < 0.5 * ALERTS
    assert state_of(played(mapped, *voevents[::-1], alerts), key) == (state, version, standing)
    after = state_of(played(alerts, voevents[0], mapped, gone, voevents[1]), key)
    assert after == ("retracted", 4, {})
    assert state_of(played(gone, alerts, mapped, *voevents), key) == after


def test_s230518h_of_the_archive(packets):
    """Preliminary, initial, two updates; its map is in no file that we have."""
    sequence = [n for name, n in packets.items() if name.startswith("S230518h")]
    assert [n.alert_kind for n in sequence] == ["preliminary", "initial", "update", "update"]
    key = ("observation", "S230518h")
    forwards, backwards = played(*sequence), played(*sequence[::-1], *sequence)
    assert state_of(forwards, key) == state_of(backwards, key) == ("unplaced", 4, {})
    history = forwards.events.history(key)
    assert [n.serial for n in history.notices] == [1, 2, 3, 4]


def test_ms260605l_and_its_retraction():
    needed(MOCK, MOCK_RETRACTION)
    first, gone = read_path(MOCK), read_path(MOCK_RETRACTION)
    assert {first.event_id, gone.event_id} == {"MS260605l"}
    key = ("test", "MS260605l")
    place = first.localization
    dec = np.clip(place.dec_deg + np.linspace(-20, 20, 81), -89, 89)
    alerts = (alerts_at(np.full(81, place.ra_deg), dec, first.event_mjd_tai + 2.0,
                        is_simulated=True),)  # fmt: skip
    state, version, standing = state_of(played(alerts, first), key)
    assert (state, version) == ("active", 1)
    assert standing == state_of(played(first, alerts), key)[2]
    assert 0 < len(standing) < 81
    for order in ((alerts, first, gone), (gone, first, alerts), (first, gone, alerts, first)):
        assert state_of(played(*order), key) == ("retracted", 2, {})
    # A mock event and real alerts never meet.
    real = alerts_at([first.localization.ra_deg], [first.localization.dec_deg],
                     first.event_mjd_tai + 1)  # fmt: skip
    assert played(first, (real,)).ledger.standing(key) == []
