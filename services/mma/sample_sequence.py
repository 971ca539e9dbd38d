"""What follows a sample burst: a sharper position, and a second burst, sharper, taken back.

Made from the real packet for demonstrations: no such packets were ever sent.
"""

from __future__ import annotations

from collections.abc import Callable

_TRIGGER = b"548848711"
_ISSUED = b"<Date>2018-05-24T18:35:45</Date>"
_MEANINGS = {
    "grb-update": "a ground position of the same trigger, 2 degrees instead of 5.6 (made up)",
    "grb-second": "the same packet as a burst of its own, role test (made up)",
    "grb-second-update": "a ground position of the second burst, role test (made up)",
    "grb-second-retraction": "the second burst taken back: not a GRB, role test (made up)",
}
SEQUENCE_KINDS = tuple(_MEANINGS)
SECOND_TRIGGER = 548848712


def meaning_of(kind: str) -> str:
    """What a packet of the sequence is."""
    return _MEANINGS[kind]


def sequence_payload(kind: str, flight: bytes, trigger: int = SECOND_TRIGGER) -> bytes:
    """A packet of the sequence.

    Parameters
    ----------
    kind
        One of ``SEQUENCE_KINDS``.
    flight
        The sample ``grb``: Fermi GBM's flight position of trigger 548848711.
    trigger
        Number of the second burst.
    """
    made: dict[str, Callable[[bytes, int], bytes]] = {
        "grb-update": _update,
        "grb-second": _second,
        "grb-second-update": lambda flight, number: _second(_update(flight, number), number),
        "grb-second-retraction": _retraction,
    }
    return made[kind](flight, trigger)


def _update(flight: bytes, _: int) -> bytes:
    return (
        flight.replace(b"GBM_Flt_Pos", b"GBM_Gnd_Pos")
        .replace(b'"Packet_Type"    value="111"', b'"Packet_Type"    value="112"')
        .replace(b"<Error2Radius>5.6000", b"<Error2Radius>2.0000")
        .replace(_ISSUED, b"<Date>2018-05-24T18:45:45</Date>")
    )


def _second(flight: bytes, trigger: int) -> bytes:
    return flight.replace(_TRIGGER, str(trigger).encode()).replace(
        b'role="observation"', b'role="test"'
    )


def _retraction(flight: bytes, trigger: int) -> bytes:
    return (
        _second(flight, trigger)
        .replace(b'"Def_NOT_a_GRB"         value="false"', b'"Def_NOT_a_GRB"         value="true"')
        .replace(_ISSUED, b"<Date>2018-05-24T19:35:45</Date>")
    )
