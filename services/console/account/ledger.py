"""How often each survey packet is found in a topic, and whether its alert stayed the same.

A packet is known by its origin: survey topic, partition, offset. Counting is one array
operation an envelope, so a million alerts are audited in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.console.account.reading import Extent
from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.kafka.records import Record
from shared.schemas.dead_letter import DeadLetter

Place = tuple[str, int]
"""Topic and partition."""
_FINGERPRINTED = ("ra_deg", "dec_deg", "mjd_tai", "flux_njy")


@dataclass
class Tally:
    """Counts by packet for one topic or edge."""

    extents: list[Extent]
    counts: dict[Place, npt.NDArray[np.int32]] = field(init=False)
    fingerprints: dict[Place, npt.NDArray[np.uint64]] = field(init=False)
    alerts: int = 0
    strangers: list[str] = field(default_factory=list)
    """Origins that no survey packet has, and records that cannot be read."""

    def __post_init__(self) -> None:
        sizes = {(e.topic, e.partition): e.end - e.begin for e in self.extents}
        self._begin = {(e.topic, e.partition): e.begin for e in self.extents}
        self.counts = {place: np.zeros(n, np.int32) for place, n in sizes.items()}
        self.fingerprints = {place: np.zeros(n, np.uint64) for place, n in sizes.items()}

    def add_envelope(self, record: Record) -> None:
        """Count the alerts of one message of the river."""
        try:
            batch = read_envelope(record.value)
        except RejectedRecordError as error:
            self.strangers.append(f"{record.topic}/{record.partition}/{record.offset}: {error}")
            return
        self.add_batch(batch)

    def add_batch(self, batch: AlertBatch) -> None:
        """Count the alerts of a batch."""
        topics = np.asarray(batch.strings("origin_topic"))
        partitions = batch.integers("origin_partition")
        offsets = batch.integers("origin_offset")
        prints = _fingerprints(batch)
        self.alerts += len(batch)
        for topic in np.unique(topics):
            for partition in np.unique(partitions[topics == topic]):
                rows = (topics == topic) & (partitions == partition)
                self._count((str(topic), int(partition)), offsets[rows], prints[rows])

    def add_origin(self, topic: str, partition: int, offset: int) -> None:
        """Count one packet by its origin."""
        self.alerts += 1
        self._count((topic, partition), np.array([offset]), np.zeros(1, np.uint64))

    def _count(
        self, place: Place, offsets: npt.NDArray[np.int64], prints: npt.NDArray[np.uint64]
    ) -> None:
        if place not in self.counts:
            self.strangers += [f"{place[0]}/{place[1]}/{o}" for o in offsets[:5]]
            return
        index = offsets - self._begin[place]
        inside = (index >= 0) & (index < len(self.counts[place]))
        self.strangers += [
            f"{place[0]}/{place[1]}/{o}" for o in offsets[index >= len(self.counts[place])][:5]
        ]
        np.add.at(self.counts[place], index[inside], 1)
        self.fingerprints[place][index[inside]] = prints[inside]


def together(tallies: Iterable[Tally], extents: list[Extent]) -> Tally:
    """The sum of ``tallies``, all over the packets of ``extents``."""
    whole = Tally(extents)
    for tally in tallies:
        whole.alerts += tally.alerts
        for place, counts in tally.counts.items():
            whole.counts[place] += counts
    return whole


def _fingerprints(batch: AlertBatch) -> npt.NDArray[np.uint64]:
    """Sixty-four bits of what no stage may change: identity, place, time, flux. Shape (n,)."""
    mixed = np.array([hash_of(i) for i in batch.strings("alert_id")], dtype=np.uint64)
    for name in _FINGERPRINTED:
        bits = np.ascontiguousarray(batch.floats(name)).view(np.uint64)
        mixed = (mixed ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def hash_of(text: str) -> int:
    """FNV-1a of ``text``, 64 bits: the same in every process, unlike Python's own."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def letters_by_stage(
    records: Iterable[Record], extents: list[Extent]
) -> tuple[dict[str, Tally], list[DeadLetter], set[tuple[str, bytes]]]:
    """Count dead letters by the stage that wrote them.

    A letter about a whole envelope counts for each alert in it. Also returns the letters whose
    record could not be read at all (no alert can be named for them), and stage and key of every
    letter about a whole message of ours.
    """
    tallies: dict[str, Tally] = {}
    unreadable = []
    whole: set[tuple[str, bytes]] = set()
    for record in records:
        letter = DeadLetter.from_json(record.value)
        tally = tallies.setdefault(letter.stage, Tally(extents))
        if (letter.origin_topic, letter.origin_partition) in tally.counts:
            tally.add_origin(letter.origin_topic, letter.origin_partition, letter.origin_offset)
        else:
            whole.add((letter.stage, letter.key))
            try:
                tally.add_batch(read_envelope(letter.payload or b""))
            except RejectedRecordError:
                unreadable.append(letter)
    return tallies, unreadable, whole
