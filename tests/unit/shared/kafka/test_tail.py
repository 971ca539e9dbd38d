"""A record that its reader cannot bear must not end the reading of all that follow."""

from shared.kafka.records import Record
from shared.kafka.tail import Tail
from shared.settings import ServiceSettings


def test_a_record_that_raises_is_left_out() -> None:
    seen: list[bytes] = []

    def on_record(record: Record) -> None:
        if record.value == b"poison":
            raise ZeroDivisionError
        seen.append(record.value)

    tail = Tail(ServiceSettings(), "topic", on_record)
    for offset, value in enumerate((b"a", b"poison", b"b")):
        tail._hand_over(Record("topic", 0, offset, 0, None, value))
    assert seen == [b"a", b"b"]
