"""The one error policy: what is delivered, what is set aside, what waits."""

from __future__ import annotations

import pytest

from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka import policy
from shared.kafka.policy import Failure, carry_out
from shared.telemetry.health import Progress


class Sink:
    """Delivers numbers, but not those it is told to choke on."""

    def __init__(self, bad: dict[int, Exception] | None = None) -> None:
        self.bad = bad or {}
        self.delivered: list[int] = []
        self.aside: list[tuple[int, Failure]] = []

    async def deliver(self, items: list[int]) -> None:
        for item in items:
            if item in self.bad:
                raise self.bad[item]
        self.delivered += items

    async def set_aside(self, item: int, failure: Failure) -> None:
        self.aside.append((item, failure))


async def test_all_go_through_in_order() -> None:
    sink = Sink()
    await carry_out(range(10), sink.deliver, sink.set_aside, Progress(1))
    assert sink.delivered == list(range(10))
    assert sink.aside == []


async def test_bad_records_alone_are_set_aside() -> None:
    sink = Sink({3: RejectedRecordError("truncated", "ends early"), 8: ZeroDivisionError("bug")})
    await carry_out(range(10), sink.deliver, sink.set_aside, Progress(1))
    assert sink.delivered == [0, 1, 2, 4, 5, 6, 7, 9]
    by_item = dict(sink.aside)
    assert (by_item[3].reason, by_item[3].traceback) == ("truncated", None)
    assert by_item[8].reason == "bug"
    assert "ZeroDivisionError" in (by_item[8].traceback or "")


async def test_upstream_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_FIRST_PAUSE_S", 0.001)
    progress = Progress(1)
    left = [3]
    waited_for = []

    async def deliver(items: list[int]) -> None:
        if left[0]:
            left[0] -= 1
            raise UpstreamUnavailableError("database away")
        waited_for.append(progress.waits_for)

    sink = Sink()
    await carry_out([1, 2], deliver, sink.set_aside, progress)
    assert waited_for == ["database away"]
    assert progress.waits_for is None
    assert sink.aside == []


async def test_one_item_is_split_before_it_is_set_aside() -> None:
    sink = Sink({13: ValueError("culprit")})

    async def deliver(items: list[list[int]]) -> None:
        for item in items:
            await sink.deliver(item)

    async def set_aside(item: list[int], failure: Failure) -> None:
        assert len(item) == 1
        await sink.set_aside(item[0], failure)

    def split(item: list[int]) -> list[list[int]]:
        return [[n] for n in item]

    await carry_out([list(range(10, 16))], deliver, set_aside, Progress(1), split)
    assert sink.delivered == [10, 11, 12, 14, 15]
    assert [item for item, _ in sink.aside] == [13]
