"""``tocsin learn selection``: how many of the simulated objects get through, by what they are.

Simulate a night with its truth, let it run through the mesh, then ask:

  tocsin simulate --alerts 20000 --truth truth.jsonl
  tocsin targets make --simulated
  tocsin learn selection truth.jsonl

For every stage (archived, classified, right_class, delivered, listed) the share of injected objects
that came so far, by class, magnitude and distance from the host, with 68 % intervals. Delivered is
what any filter sent that its topic still holds; --by-filter adds a stage for each filter:

  tocsin learn selection truth.jsonl --by-filter --json efficiencies.json
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pydantic import ValidationError

from services.classify.learning.selection import Efficiency, Injected, efficiencies
from services.classify.settings import ClassifySettings
from services.classify.verbs.learn.choices import parser_of, print_table, say
from shared.alert_batch import AlertBatch
from shared.errors import TocsinError
from shared.kafka.envelopes import read_envelope
from shared.kafka.topic_reader import TopicReader
from shared.kafka.topics import OUT_PREFIX
from shared.light_curves.photometry import AB_ZERO_POINT_NJY
from shared.settings import ServiceSettings
from shared.store import Collection, open_store

MAGNITUDES = (14.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 25.0)
OFFSETS_ARCSEC = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)
COLUMNS = ("stage", "by", "bin", "injected", "passed", "efficiency", "low", "high")
RIGHT: dict[str, tuple[str, ...]] = {
    "type_ia": ("SN Ia",),
    "core_collapse": ("SN II", "SN Ibc"),
    "agn": ("AGN",),
    "eclipsing_binary": ("eclipsing binary",),
    "kilonova": ("kilonova",),
    "microlensing": ("microlensing",),
    "rr_lyrae": ("RR Lyrae",),
}
"""By the simulator's model: the classes that are right. Of other models none is."""
_FOUND = ("archived", "classified", "right_class", "delivered", "listed")


class _Followed:
    """What the archive shows of the injected objects."""

    def __init__(self, truth: Mapping[str, str]) -> None:
        self.truth = truth
        self.passed: dict[str, set[str]] = {stage: set() for stage in _FOUND}
        self.magnitude: dict[str, float] = {}
        self.offset: dict[str, float] = {}

    def see(self, content: bytes) -> None:
        """Take an envelope in."""
        batch = read_envelope(content)
        names, schema = batch.strings("object_id"), batch.record_batch.schema.names
        flux = batch.floats("flux_njy")
        classes: list[Any] = [None] * len(batch)
        if "transient" in schema:
            classes = pc.struct_field(batch.column("transient"), "class").to_pylist()
        offsets: list[Any] = _host_offsets(batch) if "hosts" in schema else [None] * len(batch)
        for k, name in enumerate(names):
            if name not in self.truth:
                continue
            self.passed["archived"].add(name)
            if classes[k] is not None:
                self.passed["classified"].add(name)
                if classes[k] in RIGHT.get(self.truth[name], ()):
                    self.passed["right_class"].add(name)
            if flux[k] > 0.0:
                mag = AB_ZERO_POINT_NJY - 2.5 * float(np.log10(flux[k]))
                self.magnitude[name] = min(mag, self.magnitude.get(name, np.inf))
            if offsets[k] is not None:
                self.offset[name] = float(offsets[k])

    def deliver(self, filter_name: str, object_id: str, *, by_filter: bool) -> None:
        """Take a message of a filter's topic in."""
        if object_id not in self.truth:
            return
        self.passed["delivered"].add(object_id)
        if by_filter:
            self.passed.setdefault(f"{OUT_PREFIX}{filter_name}", set()).add(object_id)

    def injected(self) -> Injected:
        """As columns."""
        names = sorted(self.truth)
        return Injected(
            np.array(names, dtype=str),
            np.array([self.truth[name] for name in names], dtype=str),
            np.array([self.magnitude.get(name, np.nan) for name in names]),
            np.array([self.offset.get(name, np.nan) for name in names]),
        )


def _host_offsets(batch: AlertBatch) -> list[Any]:
    """Distance of the likeliest host of every alert, arcseconds; None without one."""
    return [
        one[0]["separation_arcsec"] if one else None for one in batch.column("hosts").to_pylist()
    ]


def read_truth(path: Path) -> dict[str, str]:
    """Model by object, from the file of ``tocsin simulate --truth``.

    Raises
    ------
    ValueError
        If a line is not one of that file.
    """
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            entry = json.loads(line)
            found[str(entry["object_id"])] = str(entry["model"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path}, line {number}: no line of simulate's truth") from error
    return found


def read_deliveries(settings: ServiceSettings) -> Iterator[tuple[str, str]]:
    """Filter and object of every message on the filters' topics; messages bear the object as key.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer.
    """
    prefix = f"{settings.topic_prefix}{OUT_PREFIX}"
    with TopicReader(settings) as reader:
        topics = [name for name in reader.topics() if name.startswith(prefix)]
        extents = [extent for topic in topics for extent in reader.extents(topic)]
        for record in reader.records(extents):
            yield record.topic.removeprefix(prefix), (record.key or b"").decode("utf-8", "replace")


async def _follow(settings: ClassifySettings, followed: _Followed) -> None:
    store = open_store(settings)
    try:
        query = {"is_simulated": True}
        async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"]):
            followed.see(document["batch"])
        query = {"fields.is_simulated": True}
        async for document in store.stream(Collection.TARGETS, query, fields=["fields"]):
            followed.passed["listed"].add(str(document["fields"].get("object_id")))
    finally:
        store.close()


def main(argv: list[str] | None = None) -> int:
    """Print the selection functions."""
    parser = parser_of("selection", __doc__ or "")
    parser.add_argument("truth", type=Path, metavar="FILE.jsonl", help="of tocsin simulate")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write them too")
    parser.add_argument("--by-filter", action="store_true", help="a stage for each filter too")
    chosen = parser.parse_args(argv)
    try:
        settings, followed = ClassifySettings(), _Followed(read_truth(chosen.truth))
        for filter_name, object_id in read_deliveries(settings):
            followed.deliver(filter_name, object_id, by_filter=chosen.by_filter)
        asyncio.run(_follow(settings, followed))
    except (OSError, TocsinError, ValidationError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    injected, rows = followed.injected(), []
    for by, edges in (
        ("class_name", ()), ("magnitude", MAGNITUDES), ("host_offset_arcsec", OFFSETS_ARCSEC)
    ):  # fmt: skip
        rows += [
            _row(by, one)
            for one in efficiencies(injected, followed.passed, by, edges)
            if one.injected
        ]
    print_table(rows, COLUMNS)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _row(by: str, one: Efficiency) -> dict[str, Any]:
    return {
        "stage": one.stage, "by": by, "bin": one.bin_name, "injected": one.injected,
        "passed": one.passed, "efficiency": one.efficiency, "low": one.low, "high": one.high,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
