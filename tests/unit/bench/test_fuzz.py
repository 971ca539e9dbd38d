"""The fuzzer: it knows where things stand, its packets reach the decoder, it finds what is bad."""

from collections import Counter
from random import Random

import pytest

from bench.fuzz import __main__ as command
from bench.fuzz import judge
from bench.fuzz.mutations import mutated
from bench.fuzz.places import COUNT, LENGTH, places_of
from bench.fuzz.seeds import seeds, taken_apart
from services.ingest.framing import SchemaBook

LOOP = {
    "type": "record", "name": "a.r", "fields": [
        {"name": "n", "type": {"type": "array", "items": "null"}},
        {"name": "t", "type": ["null", "string"]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def known(monkeypatch_module):
    return seeds()[0]


@pytest.fixture(scope="module")
def monkeypatch_module(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_DATA", str(tmp_path_factory.mktemp("none")))
        yield patch


def test_places_of_a_record():
    record = b"\x05\x06\x02\x00\x02\x06abc"  # -3 nulls in 3 bytes, 1 null, end; branch 1, "abc"
    places = places_of(LOOP, record)
    assert [p.kind for p in places].count(COUNT) == 3
    assert record[places[-1].start : places[-1].end] == b"abc"
    assert places[-2].kind == LENGTH


def test_a_hostile_count_of_nothing_ends():
    with pytest.raises(ValueError, match="more than"):
        places_of(LOOP, b"\xfe\xff\xff\xff\xff\x0f\x00\x00")


def test_seeds_are_sound_and_slim(known):
    packets = [command._as_sent(seed) for seed in known]
    for packet, seed in zip(packets, known, strict=True):
        assert taken_apart(packet).places == seed.places
    assert {seed.is_container for seed in known} == {True, False}
    verdict = judge.judged(packets, 0, SchemaBook())
    assert verdict.problem == ""
    refused = [outcome for outcome in verdict.outcomes.values() if outcome[0] == "refused"]
    assert not refused


def test_same_seed_same_packets_and_most_reach_the_decoder(known):
    first = [mutated(known[k % len(known)], known, Random(k)) for k in range(1000)]
    again = [mutated(known[k % len(known)], known, Random(k)) for k in range(1000)]
    assert first == again
    payloads = [command._as_sent(known[0]), *first]
    verdict = judge.judged(payloads, 0, SchemaBook())
    assert verdict.problem == ""
    kinds = Counter(o[1] if o[0] == "refused" else "accepted" for o in verdict.outcomes.values())
    framing = sum(kinds[reason] for reason in ("not_avro", "unknown_framing", "bad_sync_marker"))
    assert framing < 100
    assert kinds["accepted"] > 100
    assert len(kinds) > 6


def test_a_lost_packet_is_found(known, monkeypatch):
    def losing(packets, book, recent, now):
        return judge.Normalised()

    monkeypatch.setattr(judge, "normalise", losing)
    verdict = judge.judged([command._as_sent(known[0])] * 2, 0, SchemaBook())
    assert verdict.problem == "a packet is not accounted for, or twice"


def test_the_command_counts_and_tallies(known, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "seeds", lambda: (list(known), "packets"))
    tally = tmp_path / "tally.json"
    for _ in range(2):
        assert command.main(["--inputs", "1000", "--tally", str(tally)]) == 0
    assert '"inputs": 2000' in tally.read_text()
    assert "1,000 inputs" in capsys.readouterr().out
