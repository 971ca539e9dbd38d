"""A skipped record is noticed before anything is done with the one after it."""

import pytest

from shared.kafka.continuity import Continuity, SkippedRecordError
from shared.kafka.records import Record
from shared.settings import ServiceSettings


class Guard(Continuity):
    """Kafka's answer is a number that the test sets."""

    def __init__(self, carried: int = 0) -> None:
        super().__init__(ServiceSettings(), "group")
        self.carried = carried
        self.asked = 0

    async def _carried_by_others(self, place: tuple[str, int]) -> int:
        self.asked += 1
        return self.carried


def records(*offsets: int, partition: int = 0) -> list[Record]:
    return [Record("t", partition, offset, 0, None, b"") for offset in offsets]


async def test_records_that_follow_one_another_pass() -> None:
    guard = Guard()
    await guard.require(records(0, 1, 2))
    await guard.require([*records(3), *records(0, partition=1), *records(4)])
    assert guard.asked == 2, "Kafka is asked once a partition"


async def test_a_gap_within_an_assignment_is_refused_whatever_is_committed() -> None:
    guard = Guard()
    await guard.require(records(0, 1, 2))
    guard.carried = 100
    with pytest.raises(SkippedRecordError, match="from 3 to 4"):
        await guard.require(records(4))


async def test_the_first_record_must_not_lie_beyond_what_is_committed() -> None:
    await Guard(carried=7).require(records(7))
    await Guard(carried=7).require(records(5))
    with pytest.raises(SkippedRecordError, match="from 7 to 8"):
        await Guard(carried=7).require(records(8))


async def test_others_may_have_carried_a_moved_partition_on() -> None:
    guard = Guard()
    await guard.require(records(0, 1, 2))
    guard.moved([("t", 0)])
    guard.carried = 50
    await guard.require(records(50, 51))
    guard.moved([("t", 0)])
    with pytest.raises(SkippedRecordError, match="from 52 to 53"):
        await guard.require(records(53))


async def test_what_we_have_carried_ourselves_need_not_come_again() -> None:
    guard = Guard()
    await guard.require(records(0, 1, 2))
    guard.moved([("t", 0)])
    await guard.require(records(3))


async def test_repeats_pass() -> None:
    guard = Guard()
    await guard.require(records(0, 1, 2))
    guard.moved([("t", 0)])
    await guard.require(records(1, 2, 3))
