"""What the services say of themselves on /metrics, /live and /ready."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from services.console.loopback import ask


@dataclass
class ServiceReading:
    """Counters of one service, all its processes and topics together, since they started."""

    records_in: float = 0.0
    records_out: float = 0.0
    rejected: float = 0.0
    cpu_s: float = 0.0
    """CPU seconds its processes have used."""
    age_counts: dict[float, float] = field(default_factory=dict)
    """Records at most so old at output: upper edge in seconds (inf last) to cumulative count."""
    answers: int = 0
    """Processes that answered."""
    ready: int = 0
    live: int = 0

    def add_metrics(self, text: str) -> None:
        """Add what one process exposes in Prometheus' text format."""
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                match sample.name:
                    case "tocsin_records_in_total":
                        self.records_in += sample.value
                    case "tocsin_records_out_total":
                        self.records_out += sample.value
                    case "tocsin_records_rejected_total":
                        self.rejected += sample.value
                    case "process_cpu_seconds_total":
                        self.cpu_s += sample.value
                    case "tocsin_record_age_seconds_bucket":
                        edge = float(sample.labels["le"])
                        self.age_counts[edge] = self.age_counts.get(edge, 0.0) + sample.value

    def since(self, earlier: ServiceReading) -> ServiceReading:
        """What happened after ``earlier``; after a restart, since the restart."""
        restarted = self.records_in < earlier.records_in or self.cpu_s < earlier.cpu_s
        base = ServiceReading() if restarted else earlier
        return ServiceReading(
            records_in=self.records_in - base.records_in,
            records_out=self.records_out - base.records_out,
            rejected=self.rejected - base.rejected,
            cpu_s=self.cpu_s - base.cpu_s,
            age_counts={
                edge: count - base.age_counts.get(edge, 0.0)
                for edge, count in self.age_counts.items()
            },
            answers=self.answers,
            ready=self.ready,
            live=self.live,
        )

    def age_s(self, quantile: float) -> float | None:
        """Age that ``quantile`` (0 to 1) of the records did not exceed, seconds.

        Interpolated within its histogram bucket; the last finite edge if it lies beyond it; None
        where no record was counted.
        """
        edges = sorted(self.age_counts)
        total = self.age_counts[edges[-1]] if edges else 0.0
        if total <= 0:
            return None
        lower, below = 0.0, 0.0
        for edge in edges:
            count = self.age_counts[edge]
            if count >= quantile * total:
                if math.isinf(edge):
                    return lower
                share = (quantile * total - below) / (count - below) if count > below else 1.0
                return lower + share * (edge - lower)
            lower, below = edge, count
        return lower


async def read_services(
    processes: Iterable[Mapping[str, Any]], by: str = "service"
) -> dict[str, ServiceReading]:
    """Ask every process of ``processes`` (records of ``supervisor.json``) at once.

    Parameters
    ----------
    by
        ``service`` to add up the processes of a service, ``name`` to keep them apart.

    Returns
    -------
    dict
        Reading by service or name, in the order given; a process that does not answer adds nothing.
    """
    workers = [record for record in processes if record["service"] is not None]
    readings = {record[by]: ServiceReading() for record in workers}
    paths = ("/metrics", "/live", "/ready")
    answers = await asyncio.gather(
        *(asyncio.to_thread(ask, record["http_port"], path) for record in workers for path in paths)
    )
    for number, record in enumerate(workers):
        metrics, live, ready = answers[3 * number : 3 * number + 3]
        if metrics is None or live is None or ready is None:
            continue
        reading = readings[record[by]]
        reading.answers += 1
        reading.live += live.is_yes
        reading.ready += ready.is_yes
        reading.add_metrics(metrics.text)
    return readings
