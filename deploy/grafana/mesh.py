"""The mesh: one row per service, and what is common above them."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Row, or_zero

_SERVICES = ("ingest", "xmatch", "classify", "mma", "distribute", "archive")


def _row(service: str) -> Row:
    one = f'service="{service}"'
    return Row(
        service,
        (
            Panel(
                "In and out",
                "Records per second taken from topics and acknowledged by Kafka. Out above in: "
                "an alert goes to several topics.",
                "reqps",
                (
                    (f"sum(rate(tocsin_records_in_total{{{one}}}[1m]))", "in"),
                    (or_zero(f"sum(rate(tocsin_records_out_total{{{one}}}[1m]))"), "out"),
                ),
            ),
            Panel(
                "Age at output" if service != "archive" else "Time per take",
                "Since the survey's Kafka timestamp; the objective is 5 s at p95."
                if service != "archive"
                else "To carry out one take of records, database included.",
                "s",
                _ages(one) if service != "archive" else _takes(one),
            ),
            Panel(
                "Lag",
                "Messages (packets or envelopes) that wait for it, per topic.",
                "short",
                ((f"sum by (topic) (tocsin_consumer_lag{{{one}}})", "{{topic}}"),),
            ),
            Panel(
                "Set aside",
                "Dead letters per minute, by reason: tocsin dead-letters list.",
                "short",
                (
                    (
                        or_zero(
                            "60 * sum by (reason) "
                            f"(rate(tocsin_records_rejected_total{{{one}}}[5m]))"
                        ),
                        "{{reason}}",
                    ),
                ),
            ),
        ),
    )


def _ages(one: str) -> tuple[tuple[str, str], ...]:
    buckets = f"sum by (le) (rate(tocsin_record_age_seconds_bucket{{{one}}}[2m]))"
    return tuple((f"histogram_quantile({q / 100:g}, {buckets})", f"p{q}") for q in (50, 95, 99))


def _takes(one: str) -> tuple[tuple[str, str], ...]:
    buckets = f"sum by (le) (rate(tocsin_batch_seconds_bucket{{{one}}}[2m]))"
    return tuple((f"histogram_quantile({q / 100:g}, {buckets})", f"p{q}") for q in (50, 95))


BOARD = Board(
    "mesh",
    "Tocsin: the mesh",
    (
        Row(
            "Now",
            (
                Panel(
                    "Alerts per second", "Packets that ingest takes in.", "reqps",
                    (('sum(rate(tocsin_records_in_total{service="ingest"}[1m]))', "in"),),
                    kind="number",
                ),
                Panel(
                    "Age at the out topics, p95",
                    "From the survey's topic to ours; the objective is 5 s.", "s",
                    (('max(tocsin:record_age_seconds:p95{service="distribute"})', "p95"),),
                    kind="number",
                ),
                Panel(
                    "Workers up", "Processes that answer, of those that should.", "percentunit",
                    (('avg(up{job="tocsin"})', "up"),), kind="number",
                ),
                Panel(
                    "CPU per record",
                    "Of each worker, for each packet or alert that it takes in.", "µs",
                    (("tocsin:cpu_us_per_record", "{{worker}}"),),
                ),
                Panel(
                    "Memory", "Resident, of each worker; mapped catalogs included.", "bytes",
                    (('sum by (worker) (process_resident_memory_bytes{job="tocsin"})',
                      "{{worker}}"),),
                ),
            ),
        ),
        *(_row(service) for service in _SERVICES),
    ),
)  # fmt: skip
