"""CPU per packet of ingest's decoder, beside fastavro and pyruhvro in the same run.

``python -m bench.decode [--packets PATH]... [--json FILE]``; without ``--packets`` on the real
ones of TOCSIN_DATA. Each number is the best of several passes, process CPU time.

What is compared: *fastavro* makes Python objects of the whole record; *fastavro, no cutouts* of
the record's part before the cutouts; *pyruhvro* makes Arrow arrays of all of that part;
*decode* makes columns of what the survey's projection wants and walks past the rest;
*packets to alerts* is everything ingest does: framing, decoding, conversion, light curves,
HEALPix, Arrow.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import numpy as np

from services.ingest.avro import decode
from services.ingest.framing import Framed, SchemaBook
from services.ingest.normalise import normalise
from shared.kafka.records import Packet
from shared.packets import iter_packets

BATCH_SIZES = (24, 100, 500)
PASSES = 7
SHELF = {
    "ZTF 4.01, dense": "ztf/kowalski/20231012",
    "ZTF 3.3": "ztf/pittgoogle_84.tar.xz",
    "LSST 10.0": "lsst/rubin_20260101_27_v10_0.parquet",
}


def cpu_us(work: Callable[[], Any], packets: int) -> float:
    work()
    best = float("inf")
    for _ in range(PASSES):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return 1e6 * best / packets


def without_cutouts(schema: Any) -> Any:
    fields = [field for field in schema["fields"] if not field["name"].startswith("cutout")]
    return {**schema, "fields": fields}


def records_of(framed: list[Framed]) -> list[bytes]:
    return [one.payload[one.start : one.end] for one in framed]


def yardsticks(framed: list[Framed]) -> dict[str, float]:
    """The other decoders on records of one schema."""
    schema = framed[0].writer.schema
    whole, slim = fastavro.parse_schema(schema), fastavro.parse_schema(without_cutouts(schema))
    records = records_of(framed)

    def read(parsed: Any) -> list[int]:
        ends = []
        for record in records:
            stream = io.BytesIO(record)
            fastavro.schemaless_reader(stream, parsed, None)
            ends.append(stream.tell())
        return ends

    figures = {
        "fastavro": cpu_us(lambda: read(whole), len(records)),
        "fastavro, no cutouts": cpu_us(lambda: read(slim), len(records)),
    }
    try:
        import pyruhvro  # type: ignore[import-untyped]  # noqa: PLC0415 - a yardstick
    except ImportError:
        return figures
    prefixes = [record[:end] for record, end in zip(records, read(slim), strict=True)]
    text = json.dumps(without_cutouts(schema))
    figures["pyruhvro, no cutouts"] = cpu_us(
        lambda: pyruhvro.deserialize_array(prefixes, text), len(records)
    )
    return figures


def _framed(book: SchemaBook, packets: list[Packet]) -> list[Framed]:
    return [book.frame(packet.value) for packet in packets]


def measure(payloads: list[bytes]) -> dict[str, float]:
    """Figures of packets, all of one schema (those of the first packet's)."""
    book = SchemaBook()
    framed = [book.frame(payload) for payload in payloads]
    framed = [one for one in framed if one.writer is framed[0].writer]
    figures = yardsticks(framed)
    program = framed[0].writer.program
    if program is None:
        raise SystemExit("these packets are of a schema that is not compiled")
    for size in BATCH_SIZES:
        batch = [framed[k % len(framed)] for k in range(size)]
        bodies = [one.payload for one in batch]
        starts = np.array([one.start for one in batch], np.int64)
        ends = np.array([one.end for one in batch], np.int64)
        packets = [Packet("t", 0, k, 0, None, one.payload) for k, one in enumerate(batch)]
        figures[f"framing, {size}"] = cpu_us(partial(_framed, book, packets), size)
        figures[f"decode, {size}"] = cpu_us(partial(decode, program, bodies, starts, ends), size)
        figures[f"packets to alerts, {size}"] = cpu_us(
            partial(normalise, packets, book, None, 0), size
        )
    return figures


def sources(paths: list[Path]) -> dict[str, list[bytes]]:
    shelf = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    named = {str(path): path for path in paths} or {
        name: shelf / folder for name, folder in SHELF.items() if (shelf / folder).exists()
    }
    return {name: [file.payload for file in iter_packets([p])] for name, p in named.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.decode", description=__doc__)
    parser.add_argument("--packets", type=Path, action="append", default=[], metavar="PATH")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    packets = sources(arguments.packets)
    if not packets:
        parser.exit(1, "no packets: set TOCSIN_DATA or give --packets\n")
    table = {name: measure(payloads) for name, payloads in packets.items()}
    rows = list(dict.fromkeys(row for figures in table.values() for row in figures))
    print(f"{'CPU microseconds per packet':30}" + "".join(f"{name:>18}" for name in table))
    for row in rows:
        cells = "".join(f"{figures.get(row, float('nan')):18.1f}" for figures in table.values())
        print(f"{row:30}{cells}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
