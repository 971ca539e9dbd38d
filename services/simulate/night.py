"""``tocsin simulate``: a night of survey packets from physical models, to Kafka or to files."""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import orjson

from services.simulate.catalogs import MissingCatalogError
from services.simulate.deliver import SurveyTopic
from services.simulate.plants import plan_plants
from services.simulate.population import Night, simulate_night
from services.simulate.progress import PacketProgress
from services.simulate.regions import event_of_notice, event_of_position
from services.simulate.settings import SimulateSettings
from services.simulate.surveys import WRITERS
from services.simulate.surveys.base import PacketWriter, SimulatedPacket
from services.simulate.telescopes import TELESCOPES
from shared.archive.nights import night_date, night_from
from shared.errors import TocsinError
from shared.light_curves.photometry import mjd_utc_of_tai

DEFAULT_NIGHT = 61_040
"""The evening of 2025-12-31, as the archive counts nights: fixed, so that the same seed means the
same bytes."""
_MIDNIGHT_AFTER = 1
"""The simulator's own night is the UTC date of its local midnight: the day after the evening."""
_CHUNK = 256

_EXAMPLES = """
examples:
  tocsin simulate --alerts 3000                       to Kafka, as fast as it goes
  tocsin simulate --survey lsst --alerts 500 --rate 50
  tocsin simulate --alerts 200 --output night.tar     no Kafka needed
  tocsin simulate --alerts 2000 --event-position 150.1,2.2,3.0,61041.2
  tocsin simulate --alerts 2000 --event-notice S250101a.json

Every packet is marked as simulated (ZTF publisher, LSST observation_reason), and Tocsin
carries the mark all the way. The same survey, night, seed and number give the same bytes; without
--seed each run is another night's sky, and says its seed. A night is named as the archive names it:
by the evening's MJD or date.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 1 if not all was delivered, 2 for bad input."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except (ValueError, OSError, MissingCatalogError, TocsinError) as error:
        sys.stderr.write(f"tocsin simulate: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin simulate",
        description="Make a night of survey packets from physical models: supernovae, kilonovae, "
        "microlensing, RR Lyrae, eclipsing binaries, AGN, asteroids and bogus detections, at "
        "places from real catalogs, with history and cutouts.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--survey", choices=sorted(WRITERS), default="ztf", help="whose packets (ztf)"
    )
    parser.add_argument("--alerts", type=int, default=1000, metavar="N", help="how many (1000)")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="0 or more, to repeat a run (the clock's)"
    )
    parser.add_argument(
        "--night",
        metavar="NIGHT",
        help=f"{DEFAULT_NIGHT}, or the evening's date: {night_date(DEFAULT_NIGHT)} (that one, or "
        "the first night after the event)",
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, metavar="R", help="alerts per second on average, "
        "sent in one burst per exposure; 0 for as fast as possible (0)",
    )  # fmt: skip
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--topic", metavar="T", help="Kafka topic (that of the survey's settings)")
    where.add_argument("--output", type=Path, metavar="DIR|FILE.tar", help="files instead of Kafka")
    event = parser.add_mutually_exclusive_group()
    event.add_argument(
        "--event-position",
        metavar="RA,DEC,RADIUS_DEG,MJD",
        help="plant a kilonova and an afterglow in this circle, first seen after MJD (UTC)",
    )
    event.add_argument(
        "--event-notice",
        type=Path,
        metavar="FILE.json",
        help="the same in the region of a notice: LVK JSON with its map, or unified GCN JSON",
    )
    parser.add_argument(
        "--truth", type=Path, metavar="FILE.jsonl", help="write what each alert really is"
    )
    return parser


def _run(arguments: argparse.Namespace) -> int:
    seed = int(time.time()) if arguments.seed is None else arguments.seed
    if arguments.alerts < 1 or seed < 0 or arguments.rate < 0:
        raise ValueError("--alerts must be at least 1, --seed and --rate not negative")
    asked = None if arguments.night is None else night_from(arguments.night) + _MIDNIGHT_AFTER
    telescope = TELESCOPES[arguments.survey]
    event = None
    if arguments.event_position:
        event = event_of_position(arguments.event_position)
    elif arguments.event_notice:
        event = event_of_notice(arguments.event_notice)
    if event is None:
        night_mjd = DEFAULT_NIGHT + _MIDNIGHT_AFTER if asked is None else asked
        night = simulate_night(telescope, night_mjd, arguments.alerts, seed)
    else:
        night_mjd, plants = plan_plants(telescope, event, seed, asked)
        night = simulate_night(
            telescope,
            night_mjd,
            arguments.alerts,
            seed,
            plants,
            float(mjd_utc_of_tai(event.mjd_tai)),
        )
    writer = WRITERS[arguments.survey](night)
    with ExitStack() as stack:
        send, finish = _destination(arguments, stack, writer)
        note = _truth(arguments.truth, stack, night)
        progress = stack.enter_context(PacketProgress("simulating", len(night.alert_points)))
        for packets in _paced(bursts(writer, night), arguments.rate):
            for packet in packets:
                send(packet)
                note(packet)
            progress.advance(len(packets))
        status, where = finish()
        rate = progress.rate
    _report(night, where, rate, planted=0 if event is None else 2)
    return status


def bursts(writer: PacketWriter, night: Night) -> Iterator[Sequence[SimulatedPacket]]:
    """Packets in order of time, a few hundred at most together and never of two exposures.

    Written in larger chunks than they are given out, since columns are cheaper by the hundred.
    """
    for first in range(0, len(night.alert_points), _CHUNK):
        stop = min(first + _CHUNK, len(night.alert_points))
        packets = writer.write(np.arange(first, stop))
        start = 0
        for i in range(1, len(packets) + 1):
            if i == len(packets) or packets[i].visit != packets[start].visit:
                yield packets[start:i]
                start = i


def _paced(
    packets: Iterator[Sequence[SimulatedPacket]], rate: float
) -> Iterator[Sequence[SimulatedPacket]]:
    start, sent = time.monotonic(), 0
    for burst in packets:
        if rate > 0.0:
            time.sleep(max(0.0, start + sent / rate - time.monotonic()))
        yield burst
        sent += len(burst)


_Send = Callable[[SimulatedPacket], None]
_Finish = Callable[[], tuple[int, str]]


def _destination(
    arguments: argparse.Namespace, stack: ExitStack, writer: PacketWriter
) -> tuple[_Send, _Finish]:
    """Where packets go, and what ends it: exit status and a word on where they are."""
    if arguments.output is None:
        settings = SimulateSettings()
        name = arguments.topic or settings.topic_of(arguments.survey)
        topic = SurveyTopic(settings, name, in_bulk=arguments.rate == 0.0)

        def finish() -> tuple[int, str]:
            account = topic.finish()
            for error in account.errors:
                sys.stderr.write(f"tocsin simulate: {error}\n")
            where = f"topic {account.topic}: {account.delivered:,} of {account.sent:,} delivered"
            return (0 if account.is_complete else 1), where

        return (lambda packet: topic.send(packet.payload)), finish
    output: Path = arguments.output
    if output.suffix == ".tar":
        archive = tarfile.TarFile(output, "w")
        stack.callback(archive.close)

        def add(packet: SimulatedPacket) -> None:
            member = tarfile.TarInfo(f"{packet.alert_id}{writer.file_suffix}")
            member.size = len(packet.payload)
            archive.addfile(member, io.BytesIO(packet.payload))

        return add, lambda: (0, str(output))
    output.mkdir(parents=True, exist_ok=True)

    def write(packet: SimulatedPacket) -> None:
        (output / f"{packet.alert_id}{writer.file_suffix}").write_bytes(packet.payload)

    return write, lambda: (0, str(output))


def _truth(path: Path | None, stack: ExitStack, night: Night) -> _Send:
    if path is None:
        return lambda _: None
    file = stack.enter_context(path.open("wb"))

    def note(packet: SimulatedPacket) -> None:
        redshift = float(night.sources.redshift[packet.source])
        line = {
            "alert_id": str(packet.alert_id),
            "object_id": packet.object_id,
            "model": night.model_names[night.model_code[packet.source]],
            "ra_deg": float(night.sources.ra_deg[packet.source]),
            "dec_deg": float(night.sources.dec_deg[packet.source]),
            "redshift": None if np.isnan(redshift) else redshift,
        }
        file.write(orjson.dumps(line) + b"\n")

    return note


def _report(night: Night, where: str, rate: float, planted: int) -> None:
    models = night.model_code[night.point_source[night.alert_points]]
    counts = Counter(night.model_names[code] for code in models.tolist())
    kinds = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    evening = night.night_mjd - _MIDNIGHT_AFTER
    sys.stderr.write(
        f"{len(night.alert_points):,} alerts of {night.telescope.survey}, night {evening} (evening "
        f"of {night_date(evening)}), --seed {night.seed} -> {where} ({rate:.0f}/s)\n{kinds}\n"
    )
    for source in range(planted):  # plants come first among the sources
        seen = np.count_nonzero(night.point_source[night.alert_points] == source)
        sys.stderr.write(
            f"planted: {night.model_names[night.model_code[source]]} at RA "
            f"{night.sources.ra_deg[source]:.4f}, Dec {night.sources.dec_deg[source]:.4f}: "
            f"{seen} alerts{'' if seen else ', too faint: try another --seed or night'}\n"
        )


if __name__ == "__main__":
    sys.exit(main())
