"""``tocsin replay``: packets from files to the survey's topic, byte for byte."""

from __future__ import annotations

import argparse
import heapq
import itertools
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.simulate.deliver import Account, SurveyTopic
from services.simulate.observation_time import observation_mjd
from services.simulate.progress import PacketProgress
from services.simulate.rekey import rekeyed
from services.simulate.settings import SimulateSettings
from shared.errors import TocsinError
from shared.packets import PacketFile, iter_packets

_ORDER_WINDOW = 2000
"""Packets held back to put them in order of time: about 150 MB of ZTF's."""
_SECONDS_PER_DAY = 86_400.0

_EXAMPLES = """
examples:
  tocsin replay night.tar                       in order of observation, as fast as it goes
  tocsin replay alerts/ more.avro --rate 100    a hundred packets a second
  tocsin replay SN2021rhu/ --speed 100000       65 days in a minute, the real gaps kept
  tocsin replay night.tar --loop --rekey        for ever, each round as new alerts

Containers, .bin (Confluent framing), Parquet tables of packets, tar archives and folders of
these are read. The bytes are sent as they are, good or broken: what is wrong with a packet is
for ingest to say. Exit status: 0 if Kafka acknowledged every packet, 1 if not or if a file
could not be read, 2 for bad arguments.
"""

_UNMARKED = "ztf"
"""Whose topic takes containers of unknown surveys and bytes that are no packet: a broken file
must reach ingest, which says what is wrong with it, and must not stop the sound ones."""


@dataclass(slots=True)
class _Tally:
    unread: int = 0


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    missing = [path for path in arguments.paths if not path.exists()]
    try:
        if missing:
            raise ValueError(f"there is no {missing[0]}")
        if arguments.rate < 0 or arguments.speed < 0:
            raise ValueError("--rate and --speed must not be negative")
        return _run(arguments)
    except (ValueError, OSError, TocsinError) as error:
        sys.stderr.write(f"tocsin replay: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin replay",
        description="Feed recorded survey packets to the survey's Kafka topic, byte for byte, in "
        "the order in which they were observed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--rate", type=float, default=0.0, metavar="N", help="packets per second; 0 for no limit"
    )
    pace.add_argument(
        "--speed",
        type=float,
        default=0.0,
        metavar="X",
        help="keep the real gaps between observations, divided by X",
    )
    parser.add_argument(
        "--survey",
        metavar="NAME",
        help="whose topic to use; default: what each packet's framing or schema says, and "
        f"{_UNMARKED} for what bears no survey's mark",
    )
    parser.add_argument("--topic", metavar="T", help="Kafka topic for all packets")
    parser.add_argument("--loop", action="store_true", help="start again at the end, until ^C")
    parser.add_argument(
        "--rekey",
        action="store_true",
        help="give every packet new identifiers, so that ingest takes none for a repeat",
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    tally = _Tally()
    in_bulk = not (arguments.rate or arguments.speed)
    topics = _Topics(SimulateSettings(), arguments.topic, arguments.survey, in_bulk=in_bulk)
    serials = itertools.count()
    with PacketProgress("replaying", None) as progress:
        try:
            for packet in _paced(_rounds(arguments, tally), arguments.rate, arguments.speed):
                payload = packet.payload
                if arguments.rekey:
                    payload = _other_alert(packet, next(serials), tally)
                if payload:
                    topics.send(packet, payload)
                    progress.advance(1)
        except KeyboardInterrupt:
            sys.stderr.write("stopping: waiting for acknowledgements\n")
        accounts = topics.finish()
        rate = progress.rate
    return _report(accounts, tally, rate)


class _Topics:
    """One producer for each topic that turns up."""

    def __init__(
        self, settings: SimulateSettings, topic: str | None, survey: str | None, *, in_bulk: bool
    ) -> None:
        self._settings, self._topic, self._survey = settings, topic, survey
        self._in_bulk = in_bulk
        self._open: dict[str, SurveyTopic] = {}

    def send(self, packet: PacketFile, payload: bytes) -> None:
        name = self._topic
        if name is None:
            name = self._settings.topic_of(self._survey or packet.survey or _UNMARKED)
        if name not in self._open:
            self._open[name] = SurveyTopic(self._settings, name, in_bulk=self._in_bulk)
        self._open[name].send(payload)

    def finish(self) -> list[Account]:
        return [topic.finish() for topic in self._open.values()]


def _rounds(arguments: argparse.Namespace, tally: _Tally) -> Iterator[PacketFile]:
    while True:
        sent = 0
        for packet in in_order(_readable(iter_packets(arguments.paths), tally)):
            sent += 1
            yield packet
        if not arguments.loop or sent == 0:
            return


def _readable(packets: Iterable[PacketFile], tally: _Tally) -> Iterator[PacketFile]:
    for packet in packets:
        if packet.reason is None:
            yield packet
        else:
            tally.unread += 1
            sys.stderr.write(f"{packet.name}: {packet.reason}: {packet.detail}\n")


def in_order(packets: Iterable[PacketFile], window: int = _ORDER_WINDOW) -> Iterator[PacketFile]:
    """Packets in order of observation, as far as ``window`` held-back packets allow.

    A packet without a readable time goes with the one before it.
    """
    heap: list[tuple[float, int, PacketFile]] = []
    latest = float("-inf")
    for number, packet in enumerate(packets):
        mjd = observation_mjd(packet.payload)
        latest = latest if mjd is None else mjd
        heapq.heappush(heap, (latest, number, packet))
        if len(heap) > window:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]


def _paced(packets: Iterator[PacketFile], rate: float, speed: float) -> Iterator[PacketFile]:
    start = time.monotonic()
    first_mjd: float | None = None
    for sent, packet in enumerate(packets):
        due = start
        if rate > 0.0:
            due = start + sent / rate
        elif speed > 0.0:
            mjd = observation_mjd(packet.payload)
            first_mjd = mjd if first_mjd is None else first_mjd
            if mjd is not None and first_mjd is not None:
                due = start + (mjd - first_mjd) * _SECONDS_PER_DAY / speed
        wait = due - time.monotonic()
        if wait > 0.0:
            time.sleep(wait)
        yield packet


def _other_alert(packet: PacketFile, serial: int, tally: _Tally) -> bytes:
    try:
        return rekeyed(packet.payload, serial)
    except ValueError as error:
        tally.unread += 1
        sys.stderr.write(f"{packet.name}: not rekeyed: {error}\n")
        return b""


def _report(accounts: list[Account], tally: _Tally, rate: float) -> int:
    for account in accounts:
        sys.stderr.write(
            f"topic {account.topic}: {account.delivered:,} of {account.sent:,} packets delivered "
            f"({rate:.0f}/s)\n"
        )
        for error in account.errors:
            sys.stderr.write(f"topic {account.topic}: {error}\n")
    if tally.unread:
        sys.stderr.write(f"{tally.unread:,} files or packets could not be read\n")
    complete = bool(accounts) and all(account.is_complete for account in accounts)
    return 0 if complete and not tally.unread else 1


if __name__ == "__main__":
    sys.exit(main())
