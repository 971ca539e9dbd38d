"""Which notices are one event: names, times, and who may take back what."""

from __future__ import annotations

import itertools

import pytest

from services.mma.event_store import EventStore
from services.mma.identity import MAX_NAMES, clean_id, folded, names_of
from services.mma.notices import read_notice
from shared.errors import RejectedRecordError
from shared.testing.notices import gcn_json, lvk_json, voevent

FERMI = "ivo://nasa.gsfc.gcn/Fermi#GBM_"
SWIFT = "ivo://nasa.gsfc.gcn/SWIFT#"


def notice(payload):
    return read_notice(payload, received_ms=0)


def gbm(trigger="726746786", minute=1, stream="Fin_Pos", radius=3.0, **said):
    return notice(
        voevent(
            f"{FERMI}{stream}_{trigger}_{minute}", issued=f"2024-01-15T00:{minute:02d}:00",
            place=(150.0, 20.0, radius), params={"TrigID": trigger, **said.pop("params", {})},
            **said,
        )
    )  # fmt: skip


def guano(kind="initial", minute=30, **said):
    return notice(
        gcn_json(
            "swift/bat/Guano", id=["726746790"], alert_type=kind, ra_dec_error=0.05,
            follow_up_event="Fermi 726746786", follow_up_type="GRB",
            alert_datetime=f"2024-01-15T00:{minute:02d}:00Z", **said,
        )
    )  # fmt: skip


def events_of(*notices, **bounds):
    """Id, version and radius of what is active, for any order; every order must agree."""
    outcomes = set()
    for order in itertools.permutations(notices):
        store = EventStore(**bounds)
        for one in (*order, *order):
            store.add(one)
        outcomes.add(
            tuple(
                (e.notice.event_id, e.version, e.notice.localization.radius_deg)
                for e in store.snapshot().events
            )
        )
    (only,) = outcomes
    return list(only)


def test_a_ground_search_for_a_burst_of_fermis_is_that_burst():
    assert events_of(gbm(), guano()) == [("Fermi_GBM_726746786", 2, 0.05)]


def test_whoever_retracts_retracts_only_what_is_their_own():
    took_back = guano("retraction", minute=40)
    assert events_of(gbm(), guano(), took_back) == [("Fermi_GBM_726746786", 3, 3.0)]
    no_burst = gbm(minute=50, params={"Def_NOT_a_GRB": "true"})
    assert events_of(gbm(), guano(), no_burst) == [("Fermi_GBM_726746786", 3, 0.05)]
    assert events_of(gbm(), guano(), no_burst, took_back) == []


def test_ids_of_a_list_and_names_of_bursts_join():
    first = notice(gcn_json("fermi/gbm/trigger", id=["745121685"], ra_dec_error=5.0))
    both = notice(gcn_json("fermi/gbm/trigger", id=["745121685", "bn240812094"], ra_dec_error=4.0,
                           alert_datetime="2024-01-15T00:02:00Z"))  # fmt: skip
    other = notice(gcn_json("fermi/gbm/trigger", id=["bn240812094"], event_name=["GRB 240812A"],
                            alert_datetime="2024-01-15T00:03:00Z", ra_dec_error=2.0))  # fmt: skip
    einstein = notice(gcn_json("einstein_probe/wxt/alert", id=["0170"], event_name="GRB240812A",
                               alert_datetime="2024-01-15T00:04:00Z", ra_dec_error=0.1,
                               trigger_time="2024-01-15T00:01:00Z"))  # fmt: skip
    assert events_of(first, both, other, einstein) == [("Fermi_GBM_745121685", 4, 0.1)]


def test_a_burst_and_a_gravitational_wave_of_one_name_stay_two():
    wave = notice(lvk_json())
    named = notice(gcn_json("fermi/gbm/trigger", event_name=["GRB 240115A", "S240115a"]))
    assert len(events_of(wave, named)) == 2


def test_a_repeaters_bursts_stay_apart():
    bursts = [
        notice(gcn_json("chime/frb", id=[str(n)], event_name="FRB 20180916B",
                        trigger_time=f"2024-01-15T00:0{n}:00Z")) for n in range(3)
    ]  # fmt: skip
    assert len(events_of(*bursts)) == 3


def test_an_id_that_is_used_again_is_another_event():
    days = ("2014-05-01", "2019-03-02", "2023-11-30")
    used = [
        notice(voevent(f"{SWIFT}BAT_{day}", time=f"{day}T00:00:00", issued=f"{day}T00:01:00",
                       params={"TrigID": "16777215"})) for day in days
    ]  # fmt: skip
    assert [name for name, *_ in events_of(*used)] == [
        "Swift_16777215", "Swift_16777215@2019-03-02", "Swift_16777215@2023-11-30",
    ]  # fmt: skip


def test_an_update_under_another_ivorn_that_cites_its_own_stream():
    first = notice(voevent("ivo://org.example/s#1", issued="2024-01-15T00:01:00"))
    second = notice(voevent("ivo://org.example/s#2", issued="2024-01-15T00:02:00",
                            place=(150.0, 20.0, 0.5),
                            cites=[("supersedes", "ivo://org.example/s#1")]))  # fmt: skip
    assert events_of(first, second) == [("ivo://org.example/s#1", 2, 0.5)]
    gone = notice(voevent("ivo://org.example/s#3", issued="2024-01-15T00:03:00",
                          cites=[("retraction", "ivo://org.example/s#2")]))  # fmt: skip
    assert events_of(first, second, gone) == []


def test_following_up_another_stream_is_no_joining():
    request = notice(voevent("ivo://radio.example/requests#1", place=(150.0, 20.0, 0.5),
                             cites=[("followup", gbm().ivorn)]))  # fmt: skip
    assert len(events_of(gbm(), request)) == 2


def test_tests_and_injections_stay_apart_from_the_real_event():
    real = gbm()
    test = gbm(minute=2, role="test", params={"Def_NOT_a_GRB": "true"})
    injected = notice(gcn_json("fermi/gbm/trigger", id=["726746786"], alert_tense="injection",
                               alert_type="retraction"))  # fmt: skip
    assert events_of(real, test, injected) == [("Fermi_GBM_726746786", 1, 3.0)]


@pytest.mark.parametrize(
    "odd", ["FERMI_gbm_726746786", "Fermi\u2000GBM 726746786", "Fermi-GBM-７26746786"]
)
def test_spellings_of_one_id_are_one(odd):
    assert folded(odd) == folded("Fermi_GBM_726746786")


@pytest.mark.parametrize(
    "odd", ["", "  ", "a\u202eb", "a\nb", "x" * 201, "S1\u200b", "a@2024-01-01"]
)
def test_ids_that_could_deceive_are_refused(odd):
    with pytest.raises(RejectedRecordError, match="bad_event_id"):
        clean_id(odd)
    store = EventStore()
    with pytest.raises(RejectedRecordError):
        store.add(gbm().model_copy(update={"event_id": odd}))
    assert len(store) == 0


def test_letters_that_only_look_alike_are_other_events():
    cyrillic = notice(lvk_json()).model_copy(update={"event_id": "\u0405240115a"})
    assert len(events_of(cyrillic, notice(lvk_json()))) == 2


def test_a_list_of_a_thousand_names_is_cut():
    many = notice(gcn_json("fermi/gbm/trigger", id=[str(n) for n in range(1000)]))
    assert len(names_of(many)) <= MAX_NAMES
