from __future__ import annotations

import itertools
import json

import pytest

from services.mma import coincide
from services.mma.coincidences import coincidences
from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from services.mma.region_files import read_region
from shared.testing.notices import lvk_json, voevent


def burst(number, second, place=(0.0, 0.0, 2.0), role="observation"):
    return voevent(
        f"ivo://nasa.gsfc.gcn/SWIFT#BAT_{number}", params={"TrigID": str(number)}, role=role,
        time=f"2024-01-15T00:00:{second:09.6f}", place=place,
    )  # fmt: skip


def found_in(*payloads):
    store = EventStore()
    for payload in payloads:
        store.add(read_notice(payload, 0))
    return coincidences(store.snapshot().events)


@pytest.mark.parametrize(("second", "is_found"), [(0.0, True), (5.0, True), (5.1, False)])
def test_the_window_of_a_merger_and_a_burst(second, is_found):
    assert bool(found_in(lvk_json(), burst(1, second))) == is_found


def test_joint_rates_and_map():
    (one,) = found_in(lvk_json(), burst(1, 1.7))
    assert (one.first.notice.event_id, one.second.notice.event_id) == ("S240115a", "Swift_1")
    assert one.offset_s == pytest.approx(1.7, abs=1e-4)
    assert one.overlap == pytest.approx(0.8 * 12, rel=1e-3)
    assert one.raven_far_hz == pytest.approx(1e-9 * 325 / (365 * 86400) * 6 / 9.6, rel=1e-3)
    # BNS: five a year are more than its own 1e-9 Hz.
    assert one.joint_far_hz == pytest.approx(one.raven_far_hz * 5 / 365.25 / 86400 / 1e-9, rel=1e-6)
    assert one.joint_map().searched_area_deg2(0.9) == pytest.approx(12.6, rel=0.02)


def test_excluded_places_have_no_joint_rate():
    (one,) = found_in(lvk_json(sky_map=None), burst(1, 1.0, place=(0.0, 0.0, 2.0)))
    assert one.joint_far_hz is not None
    store_only_bursts = found_in(burst(1, 1.0), burst(2, 2.0))
    assert store_only_bursts == []


def test_tests_never_meet_real_events():
    assert found_in(lvk_json(), burst(1, 1.0, role="test")) == []
    (one,) = found_in(lvk_json("MS240115a"), burst(1, 1.0, role="test"))
    assert one.first.notice.role == "test"


def test_the_order_of_notices_does_not_matter():
    payloads = [lvk_json(), burst(1, 1.0), burst(2, 3.0), burst(3, 59.0)]
    outcomes = {
        tuple((o.second.notice.event_id, o.joint_far_hz) for o in found_in(*order))
        for order in itertools.permutations(payloads)
    }
    (only,) = outcomes
    assert len(only) == 2


def test_the_command_says_it_and_writes_the_map(tmp_path, capsys):
    (tmp_path / "gw.json").write_bytes(lvk_json())
    (tmp_path / "grb.xml").write_bytes(burst(1, 1.0))
    (tmp_path / "p.csv").write_text("name,ra_deg,dec_deg\nfar,90,0\nnear,0.1,0\n")
    joint, ranked = tmp_path / "joint.fits", tmp_path / "ranked.csv"
    arguments = [str(tmp_path / "gw.json"), str(tmp_path / "grb.xml"), "--combined", str(joint),
                 "--positions", str(tmp_path / "p.csv"), "-o", str(ranked)]  # fmt: skip
    assert coincide.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert read_region(joint).searched_area_deg2(0.9) == pytest.approx(said["A90_combined_deg2"])
    assert ranked.read_text().splitlines()[1].split(",")[0].strip('"') == "near"
    assert coincide.main([str(tmp_path / "nothing.xml")]) == 2
