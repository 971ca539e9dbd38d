"""Replay: order, pace, destinations; Kafka is in the integration tests."""

import random
import tarfile

import pytest

from services.simulate import night, replay
from services.simulate.deliver import Account
from services.simulate.observation_time import observation_mjd
from shared.archive.nights import night_of
from shared.packets import PacketFile, iter_packets


class FakeTopic:
    """Stands for Kafka: keeps what it is sent."""

    sent: dict[str, list[bytes]]
    lose = 0

    def __init__(self, settings, topic, *, in_bulk):
        self.topic = topic
        self.sent.setdefault(topic, [])

    def send(self, payload):
        self.sent[self.topic].append(payload)

    def finish(self):
        sent = len(self.sent[self.topic])
        return Account(self.topic, sent, sent - self.lose, ("lost",) * self.lose)


@pytest.fixture
def fake_kafka(monkeypatch):
    FakeTopic.sent, FakeTopic.lose = {}, 0
    monkeypatch.setattr(replay, "SurveyTopic", FakeTopic)
    monkeypatch.setattr(night, "SurveyTopic", FakeTopic)
    return FakeTopic


@pytest.fixture
def folder(tmp_path, ztf_packets, lsst_packets):
    for packet in ztf_packets[:20]:
        (tmp_path / f"{packet.alert_id}.avro").write_bytes(packet.payload)
    for packet in lsst_packets[:10]:
        (tmp_path / f"{packet.alert_id}.bin").write_bytes(packet.payload)
    return tmp_path


def test_time_of_observation(ztf_packets, ztf_night, lsst_packets, lsst_night):
    visits = ztf_night.visits
    for packet in ztf_packets[:20]:
        assert observation_mjd(packet.payload) == pytest.approx(visits.mjd_utc[packet.visit])
    for packet in lsst_packets[:20]:
        tai = lsst_night.visits.mjd_tai[packet.visit]
        assert observation_mjd(packet.payload) == pytest.approx(tai)
    for broken in (b"", b"Obj\x01", b"\x00" * 30, ztf_packets[0].payload[:9000]):
        assert observation_mjd(broken) is None


def test_packets_come_in_order_of_observation(ztf_packets):
    shuffled = [PacketFile(str(i), p.payload, "ztf") for i, p in enumerate(ztf_packets[:60])]
    random.Random(4).shuffle(shuffled)
    times = [observation_mjd(p.payload) for p in replay.in_order(shuffled)]
    assert times == sorted(times)
    nearly = [observation_mjd(p.payload) for p in replay.in_order(shuffled, window=5)]
    assert sorted(nearly) == times


def test_each_packet_goes_to_its_survey_unchanged(fake_kafka, folder, ztf_packets, lsst_packets):
    assert replay.main([str(folder)]) == 0
    assert set(fake_kafka.sent) == {"ztf_alerts", "lsst_alerts"}
    assert sorted(fake_kafka.sent["ztf_alerts"]) == sorted(p.payload for p in ztf_packets[:20])
    assert sorted(fake_kafka.sent["lsst_alerts"]) == sorted(p.payload for p in lsst_packets[:10])


def test_rekeyed_replay_sends_other_alerts(fake_kafka, folder, ztf_packets):
    assert replay.main([str(folder), "--topic", "t", "--rekey"]) == 0
    assert len(fake_kafka.sent["t"]) == len(set(fake_kafka.sent["t"])) == 30
    assert not set(fake_kafka.sent["t"]) & {p.payload for p in ztf_packets}


def test_undelivered_or_unread_packets_fail(fake_kafka, folder, tmp_path, capsys):
    fake_kafka.lose = 1
    assert replay.main([str(folder)]) == 1
    fake_kafka.lose = 0
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"no archive")
    assert replay.main([str(broken)]) == 1
    assert "unreadable" in capsys.readouterr().err
    assert replay.main([str(tmp_path / "nowhere")]) == 2


def test_rate_is_kept(fake_kafka, folder, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(replay.time, "monotonic", lambda: clock[0])

    def sleep(seconds):
        clock[0] += seconds

    monkeypatch.setattr(replay.time, "sleep", sleep)
    assert replay.main([str(folder), "--rate", "10"]) == 0
    assert clock[0] == pytest.approx(29 / 10)


def test_what_bears_no_mark_is_sent_and_stops_nothing(fake_kafka, folder):
    sound = [p.payload for p in iter_packets([folder])]
    junk = folder / "junk.avro"
    junk.write_bytes(b"no packet at all")
    assert replay.main([str(folder)]) == 0
    assert b"no packet at all" in fake_kafka.sent["ztf_alerts"]
    sent = [p for packets in fake_kafka.sent.values() for p in packets]
    assert sorted(sent) == sorted([*sound, b"no packet at all"])
    assert replay.main([str(junk), "--survey", "lsst"]) == 0
    assert fake_kafka.sent["lsst_alerts"][-1] == b"no packet at all"


def test_speed_keeps_the_gaps(fake_kafka, folder, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(replay.time, "monotonic", lambda: clock[0])

    def sleep(seconds):
        clock[0] += seconds

    monkeypatch.setattr(replay.time, "sleep", sleep)
    times = [observation_mjd(p.payload) for p in iter_packets([folder])]
    assert replay.main([str(folder), "--speed", "100"]) == 0
    assert clock[0] == pytest.approx((max(times) - min(times)) * 864.0, rel=1e-3)


def test_simulate_writes_the_same_files_twice(fake_kafka, tmp_path, ztf_packets):
    first, second = tmp_path / "a.tar", tmp_path / "b.tar"
    arguments = ["--alerts", "60", "--seed", "9", "--output"]
    truth = tmp_path / "truth.jsonl"
    assert night.main([*arguments, str(first), "--truth", str(truth)]) == 0
    assert night.main([*arguments, str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert len(truth.read_text().splitlines()) == 60
    with tarfile.open(first) as archive:
        assert len(archive.getmembers()) == 60
    assert night.main(["--alerts", "60", "--seed", "9"]) == 0
    assert fake_kafka.sent["ztf_alerts"] == [p.payload for p in iter_packets([first])]


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
@pytest.mark.parametrize("named", ["61005", "2025-11-26"])
def test_simulate_and_the_archive_name_a_night_the_same(tmp_path, capsys, survey, named):
    arguments = ["--survey", survey, "--alerts", "30", "--night", named, "--output"]
    assert night.main([*arguments, str(tmp_path / "night.tar")]) == 0
    times = [observation_mjd(p.payload) for p in iter_packets([tmp_path / "night.tar"])]
    assert {night_of(mjd) for mjd in times} == {61_005}
    assert "night 61005 (evening of 2025-11-26)" in capsys.readouterr().err


def test_simulate_without_a_seed_is_another_night_each_time_and_says_its_seed(
    tmp_path, capsys, monkeypatch
):
    packets = []
    for now in (1_700_000_001, 1_700_000_002):
        monkeypatch.setattr(night.time, "time", lambda now=now: now + 0.5)
        assert night.main(["--alerts", "20", "--output", str(tmp_path / f"{now}.tar")]) == 0
        assert f"--seed {now} " in capsys.readouterr().err
        packets.append({p.payload for p in iter_packets([tmp_path / f"{now}.tar"])})
    assert packets[0].isdisjoint(packets[1])
    first, second = (set(names(path)) for path in sorted(tmp_path.glob("*.tar")))
    assert first.isdisjoint(second)  # alert ids


def names(path):
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_simulate_refuses_nonsense(fake_kafka, capsys):
    assert night.main(["--alerts", "0"]) == 2
    assert night.main(["--event-position", "1,2"]) == 2
    assert night.main(["--night", "tomorrow"]) == 2
    assert "RA,DEC,RADIUS_DEG,MJD" in capsys.readouterr().err
