"""``tocsin ingest check``: decode packets offline and say what becomes of each.

The same code as the worker's: framing, decoder, survey conversion, judgement.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from services.ingest.adapters.schema_registry import registry_of
from services.ingest.framing import SchemaBook, official_schema_by_id
from services.ingest.normalise import normalise
from services.ingest.settings import IngestSettings
from shared.alert_batch import AlertBatch
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Packet
from shared.light_curves.bands import FORCED, UPPER_LIMIT
from shared.packets.files import PacketFile, iter_packets

KEYS = (
    "status", "survey", "schema_version", "alert_id", "object_id", "ra_deg", "dec_deg", "mjd_tai",
    "band", "flux_njy", "flux_err_njy", "light_curve_points", "upper_limits", "forced_points",
    "reason",
)  # fmt: skip
"""Keys of every line, in this order; null where they do not apply."""
_COPIED = KEYS[1:11]
PACKETS_AT_ONCE = 64
BYTES_AT_ONCE = 32 << 20
_EPILOG = """
One JSON line per packet on standard output, with these keys:
  status (accepted|rejected), survey, schema_version, alert_id, object_id, ra_deg, dec_deg (ICRS),
  mjd_tai (mid-exposure), band, flux_njy, flux_err_njy (AB nanojansky), light_curve_points (all),
  upper_limits, forced_points (of these), reason (null, or what is wrong).
Identifiers are strings, since 64-bit numbers do not survive every JSON reader.
Duplicates are not looked for. What was rejected, and the counts, go to standard error too.
Exit status: 0 if every packet was accepted, 1 if any was rejected or a file could not be read,
2 for wrong usage.

examples:
  tocsin ingest check night.tar.gz | jq 'select(.status == "rejected") | .reason'
  tocsin ingest check message.bin packets/ table.parquet
"""


def check(
    paths: Iterable[Path], book: SchemaBook, on_skip: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and line of each packet, in order; memory is bounded for archives of any size.

    ``on_skip`` is told the name of every file of a folder or archive that is no packet.
    """
    for files in _chunks(iter_packets(paths, on_skip)):
        yield from _lines(files, book)


def _chunks(files: Iterator[PacketFile]) -> Iterator[list[PacketFile]]:
    chunk: list[PacketFile] = []
    size = 0
    for file in files:
        chunk.append(file)
        size += len(file.payload)
        if len(chunk) >= PACKETS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _lines(files: Sequence[PacketFile], book: SchemaBook) -> list[tuple[str, dict[str, Any]]]:
    readable = [i for i, file in enumerate(files) if file.reason is None]
    packets = [Packet(files[i].name, 0, 0, 0, None, files[i].payload) for i in readable]
    result = normalise(packets, book, None, int(time.time() * 1000))
    lines: list[dict[str, Any]] = [
        _rejected(f"{file.reason}: {file.detail}", None) for file in files
    ]
    for one in result.refused:
        at = readable[one.packet]
        lines[at] = _rejected(f"{one.reason}: {one.detail}", files[at].survey)
        lines[at]["alert_id"] = one.alert_id
        lines[at]["schema_version"] = one.schema_version
    for batch in result.batches:
        rows = _accepted(batch.batch)
        for packet, row in zip(batch.packets, rows, strict=True):
            lines[readable[int(packet)]] = row
    return [(file.name, line) for file, line in zip(files, lines, strict=True)]


def _rejected(reason: str, survey: str | None) -> dict[str, Any]:
    return dict.fromkeys(KEYS) | {"status": "rejected", "survey": survey, "reason": reason}


def _accepted(batch: AlertBatch) -> list[dict[str, Any]]:
    curves = batch.light_curves
    n = len(batch)

    def points_of(kind: int) -> list[int]:
        counted = np.bincount(curves.alert_index[curves.kind == kind], minlength=n)
        return [int(count) for count in counted]

    columns = {name: batch.column(name).to_pylist() for name in _COPIED}
    limits, forced = points_of(UPPER_LIMIT), points_of(FORCED)
    return [
        {
            "status": "accepted",
            **{name: columns[name][row] for name in _COPIED},
            "light_curve_points": int(curves.lengths[row]),
            "upper_limits": limits[row],
            "forced_points": forced[row],
            "reason": None,
        }
        for row in range(n)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Check files from the command line; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="tocsin ingest check",
        description="Decode survey packets offline, exactly as the ingest service would.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", type=Path,
        help="Avro container, Confluent message (.bin), Parquet table of packets, tar archive "
        "(.tar, .tar.gz, .tar.xz, .tar.bz2) or a folder of these",
    )  # fmt: skip
    parser.add_argument(
        "--names", action="store_true", help='add the key "file": where each packet was found'
    )
    arguments = parser.parse_args(argv)
    book = SchemaBook(registry_of(IngestSettings()) or official_schema_by_id)
    counts: Counter[str] = Counter()
    try:
        for name, line in check(arguments.files, book, lambda _: counts.update(["skipped"])):
            counts[line["status"]] += 1
            shown = {"file": name, **line} if arguments.names else line
            sys.stdout.buffer.write(orjson.dumps(shown) + b"\n")
            if line["status"] == "rejected":
                sys.stderr.write(f"{name}: {line['reason']}\n")
        sys.stdout.buffer.flush()
    except UpstreamUnavailableError as error:
        sys.stderr.write(f"tocsin ingest check: {error}\n")
        return 1
    except BrokenPipeError:  # the reader has had enough, as `head` does
        sys.stderr.close()
        return 1
    others = f", {counts['skipped']} other files passed over" if counts["skipped"] else ""
    sys.stderr.write(f"{counts['accepted']} accepted, {counts['rejected']} rejected{others}\n")
    return 0 if counts["accepted"] and not counts["rejected"] else 1


if __name__ == "__main__":
    sys.exit(main())
