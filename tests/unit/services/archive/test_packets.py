"""Segments: what is written is read back, and no kill, repeat or order of events loses a packet."""

import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.archive.packets import LogPolicy, PacketStore
from shared.archive.packets import packets_at
from shared.archive.packets.index import ENTRY, index_path, read_index
from shared.archive.packets.reading import partition_folder, segment_paths
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Packet

SMALL = LogPolicy(segment_bytes=3 * 4096)
"""Every append begins on a block of 4,096 bytes, so a segment takes three small ones."""


def packet(offset, *, topic="ztf_alerts", partition=0, size=700, salt=0):
    value = zlib.crc32(f"{topic}{partition}{offset}{salt}".encode()).to_bytes(4, "big")
    return Packet(topic, partition, offset, 0, None, value * (size // 4) + b"x" * (size % 4))


def assert_kept(root, packets):
    for p in packets:
        assert packets_at(root, p.topic, p.partition, p.offset) == [p.value]


def test_packets_come_back_byte_for_byte_across_segments_and_partitions(tmp_path):
    packets = [packet(n, partition=n % 2, size=1 + 97 * (n % 31)) for n in range(200)]
    with PacketStore(tmp_path, SMALL) as store:
        assert store.append(packets) == 200
        assert_kept(tmp_path, packets)
    assert_kept(tmp_path, packets)
    assert packets_at(tmp_path, "ztf_alerts", 0, 1) == []
    assert packets_at(tmp_path, "ztf_alerts", 7, 0) == []


def test_segments_roll_at_their_size(tmp_path):
    with PacketStore(tmp_path, SMALL) as store:
        for n in range(20):
            store.append([packet(n)])
    paths = segment_paths(partition_folder(tmp_path, "ztf_alerts", 0))
    assert [path.name for path in paths] == [f"{first:020d}.segment" for first in range(0, 20, 3)]
    assert [path.stat().st_size for path in paths] == [3 * 4096] * 6 + [2 * 4096]
    assert index_path(paths[0]).stat().st_size == 3 * ENTRY.itemsize


def test_a_repeat_is_passed_over_also_across_a_restart(tmp_path):
    packets = [packet(n) for n in range(20)]
    with PacketStore(tmp_path, SMALL) as store:
        assert store.append(packets) == 20
        assert store.append(packets[5:]) == 0
    with PacketStore(tmp_path, SMALL) as store:
        assert store.next_offset("ztf_alerts", 0) == 20
        assert store.append([*packets[3:], packet(20), packet(20)]) == 1
    assert_kept(tmp_path, [*packets, packet(20)])
    folder = partition_folder(tmp_path, "ztf_alerts", 0)
    assert sum(len(read_index(path)) for path in segment_paths(folder)) == 21


@pytest.mark.parametrize("torn", ["packet", "entry", "no entry", "zeros", "no index"])
def test_a_torn_tail_is_cut_off_and_written_again(tmp_path, torn):
    packets = [packet(n) for n in range(6)]
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append(packets)
    (segment,) = segment_paths(partition_folder(tmp_path, "ztf_alerts", 0))
    if torn == "packet":
        os.truncate(segment, 6 * 700 - 1)
    elif torn == "entry":
        os.truncate(index_path(segment), 5 * ENTRY.itemsize + 7)
    elif torn == "no entry":
        os.truncate(index_path(segment), 5 * ENTRY.itemsize)
    elif torn == "zeros":  # what a power cut leaves of a file whose length was on the disk already
        os.truncate(segment, 5 * 700)
        os.truncate(segment, 6 * 700)
    else:
        index_path(segment).unlink()
    kept = 0 if torn == "no index" else 5
    with PacketStore(tmp_path, LogPolicy()) as store:
        assert (store.next_offset("ztf_alerts", 0) or 0) == kept
        assert segment.stat().st_size == (4096 if kept else 0)
        assert store.append(packets) == 6 - kept
    assert_kept(tmp_path, packets)


def test_older_packets_that_were_never_kept_get_their_place(tmp_path):
    newer = [packet(n) for n in range(50, 70)]
    everything = [packet(n) for n in range(80)]
    with PacketStore(tmp_path, SMALL) as store:
        store.append(newer)
        assert store.append(everything[:55]) == 50
        assert store.append(everything[55:]) == 10
    assert_kept(tmp_path, everything)


def test_a_topic_made_anew_keeps_both(tmp_path):
    with PacketStore(tmp_path, SMALL) as store:
        store.append([packet(n) for n in range(10)])
        assert store.append([packet(n, salt=1) for n in range(3)]) == 3
    both = packets_at(tmp_path, "ztf_alerts", 0, 2)
    assert both == [packet(2, salt=1).value, packet(2).value]
    assert packets_at(tmp_path, "ztf_alerts", 0, 9) == [packet(9).value]


def test_spoilt_bytes_are_refused_not_handed_out(tmp_path):
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append([packet(0), packet(1)])
    (segment,) = segment_paths(partition_folder(tmp_path, "ztf_alerts", 0))
    spoilt = bytearray(segment.read_bytes())
    spoilt[10] ^= 1
    segment.write_bytes(bytes(spoilt))
    with pytest.raises(ValueError, match="checksum"):
        packets_at(tmp_path, "ztf_alerts", 0, 0)


def test_a_second_writer_is_refused(tmp_path):
    with PacketStore(tmp_path, LogPolicy()), pytest.raises(UpstreamUnavailableError):
        PacketStore(tmp_path, LogPolicy())
    PacketStore(tmp_path, LogPolicy()).close()


@pytest.mark.parametrize(
    "policy",
    [LogPolicy(segment_bytes=700, keep_bytes=5 * 4096), LogPolicy(segment_bytes=700, keep_s=100.0)],
)
def test_retention_forgets_the_oldest_and_never_the_newest(tmp_path, policy):
    with PacketStore(tmp_path, policy) as store:
        for n in range(10):
            store.append([packet(n)])
            if policy.keep_s:
                for path in segment_paths(partition_folder(tmp_path, "ztf_alerts", 0))[:-4]:
                    os.utime(path, (0, 0))
    kept = [n for n in range(10) if packets_at(tmp_path, "ztf_alerts", 0, n)]
    assert 1 <= len(kept) <= 6
    assert kept == list(range(10 - len(kept), 10))


@pytest.mark.parametrize("topic", ["../../etc", ".hidden", "..", "a/b", "ztf_20240115_programid1"])
def test_a_topic_name_cannot_leave_the_folder(tmp_path, topic):
    folder = partition_folder(tmp_path, topic, 3)
    assert folder.resolve().parent.parent == tmp_path.resolve()
    assert partition_folder(tmp_path, "a", 3) != folder


def test_a_full_disk_is_a_reason_to_wait(tmp_path, monkeypatch):
    def no_space(_descriptor, _bytes):
        raise OSError(28, "No space left on device")

    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append([packet(0)])
        monkeypatch.setattr(os, "write", no_space)
        with pytest.raises(UpstreamUnavailableError, match="No space"):
            store.append([packet(1)])
        monkeypatch.undo()
        assert store.append([packet(0), packet(1)]) == 1
    assert_kept(tmp_path, [packet(0), packet(1)])


def test_a_short_write_is_carried_on(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, content: write(fd, content[:4096]))
    packets = [packet(n, size=3_000) for n in range(5)]
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append(packets)
    assert_kept(tmp_path, packets)


def test_a_packet_larger_than_the_buffer_is_kept(tmp_path):
    packets = [packet(0), packet(1, size=(5 << 20) + 13), packet(2), packet(3, size=2 << 20)]
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append(packets)
        store.append([packet(4)])
    assert_kept(tmp_path, [*packets, packet(4)])


def test_a_disk_without_direct_writes_will_do(tmp_path, monkeypatch):
    really_open = os.open

    def open_without(path, flags, *rest):
        if flags & os.O_DIRECT:
            raise OSError(22, "Invalid argument")
        return really_open(path, flags, *rest)

    monkeypatch.setattr(os, "open", open_without)
    packets = [packet(n) for n in range(5)]
    with PacketStore(tmp_path, LogPolicy()) as store:
        store.append(packets)
    assert_kept(tmp_path, packets)


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 25), st.booleans(), st.integers(0, 1500)),
        min_size=1,
        max_size=12,
    )
)
def test_any_sequence_of_redelivery_restart_and_tearing_keeps_every_packet(
    tmp_path_factory, batches
):
    root: Path = tmp_path_factory.mktemp("packets")
    store = PacketStore(root, SMALL)
    kept: set[int] = set()
    for first, count, restart, torn_bytes in batches:
        batch = [packet(n) for n in range(first, first + count)]
        new = {p.offset for p in batch} - kept
        assert store.append(batch) == len(new)
        kept |= new
        if restart:
            store.close()
            paths = segment_paths(partition_folder(root, "ztf_alerts", 0))
            if torn_bytes % 2:  # kill -9 in mid-write: bytes without an entry
                with paths[-1].open("ab") as file:
                    file.write(b"\0" * torn_bytes)
            store = PacketStore(root, SMALL)
    store.close()
    assert_kept(root, [packet(n) for n in sorted(kept)])
