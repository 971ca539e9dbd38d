"""``tocsin packet``: gives an alert's packet back, byte for byte as the survey sent it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from services.archive.settings import ArchiveSettings
from shared.archive.packets import packets_root
from shared.archive.provenance import PacketMissingError, find_origins, packet_of
from shared.errors import UpstreamUnavailableError
from shared.settings import ServiceSettings
from shared.store import open_store

_EPILOG = """\
examples:
  tocsin packet 1657414760815015006 -o alert.avro
  tocsin packet 1657414760815015006 | fastavro -
  tocsin packet 1657414760815015006 --where      topic, partition and offset only

ZTF packets are Avro containers; Rubin's are as on Kafka: byte 0, schema id, Avro.
Exit status: 0 given, 1 not kept, 2 cannot say.
"""


def main(argv: list[str] | None = None) -> int:
    """Write a packet to a file or to standard output; returns the exit status."""
    arguments = _parser().parse_args(argv)
    settings = ArchiveSettings()
    try:
        origins = asyncio.run(_find(settings, arguments.alert_id))
    except UpstreamUnavailableError as error:
        print(f"{error}\nIs it running? tocsin status", file=sys.stderr)
        return 2
    origins = [one for one in origins if arguments.survey in (None, one["survey"])]
    if not origins:
        print(f"no alert {arguments.alert_id} is in the archive", file=sys.stderr)
        return 1
    if len({one["survey"] for one in origins}) > 1:
        print("several surveys have that alert: choose with --survey", file=sys.stderr)
        return 2
    if arguments.where:
        for one in origins:
            print(f"{one['origin_topic']} {one['origin_partition']} {one['origin_offset']}")
        return 0
    return _write(origins, arguments.output, packets_root(settings.state_dir))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin packet",
        description="Give an alert's packet back, byte for byte as the survey sent it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("alert_id", help="ZTF's candid, Rubin's diaSourceId")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="else standard output")
    parser.add_argument("--survey", help="where two surveys use the same number: ztf, lsst")
    parser.add_argument("--where", action="store_true", help="say where it is, do not write it")
    return parser


async def _find(settings: ServiceSettings, alert_id: str) -> list[dict[str, Any]]:
    store = open_store(settings)
    try:
        return await find_origins(store, alert_id)
    finally:
        store.close()


def _write(origins: list[dict[str, Any]], output: Path | None, root: Path) -> int:
    reason = ""
    for origin in origins:
        try:
            packet = packet_of(root, origin)
        except PacketMissingError as error:
            reason = str(error)
            continue
        if output is not None:
            output.write_bytes(packet)
            print(f"{output}: {len(packet)} bytes", file=sys.stderr)
        elif sys.stdout.isatty():
            print(f"{len(packet)} bytes, not for a terminal: -o FILE, or a pipe", file=sys.stderr)
            return 2
        else:
            sys.stdout.buffer.write(packet)
        return 0
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
