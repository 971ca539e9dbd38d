"""Kafka and the database, as Tocsin feels them; their own dashboards come with their operators."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Row, or_zero

BOARD = Board(
    "stores",
    "Tocsin: Kafka and the database",
    (
        Row(
            "Kafka",
            (
                Panel(
                    "Lag by partition", "One partition far above the others: its worker stands.",
                    "short",
                    (("sum by (topic, partition) (tocsin_consumer_lag)",
                      "{{topic}}/{{partition}}"),),
                ),
                Panel(
                    "Records per take",
                    "Small takes: low rates. Full ones: work is waiting.", "short",
                    (("sum by (service) (rate(tocsin_batch_size_sum[5m])) / "
                      "sum by (service) (rate(tocsin_batch_size_count[5m]))", "{{service}}"),),
                ),
                Panel(
                    "Acknowledged", "Records per second that Kafka took, by topic.", "reqps",
                    (("sum by (topic) (rate(tocsin_records_out_total[2m]))", "{{topic}}"),),
                ),
            ),
        ),
        Row(
            "Database and packets",
            (
                Panel(
                    "Documents", "Written per second, by collection.", "reqps",
                    (("sum by (collection) (rate(tocsin_archive_documents_total[2m]))",
                      "{{collection}}"),),
                ),
                Panel(
                    "Time per take of the archive",
                    "Insert and acknowledgement of a majority.", "s",
                    (('histogram_quantile(0.95, sum by (le) '
                      '(rate(tocsin_batch_seconds_bucket{service="archive"}[2m])))', "p95"),),
                ),
                Panel(
                    "Packets kept", "Bytes per second written to segments.", "Bps",
                    (("sum(rate(tocsin_archive_packet_bytes_total[2m]))", "bytes"),),
                ),
                Panel(
                    "Repeats", "Documents that were there already, per minute: redeliveries.",
                    "short",
                    ((or_zero("60 * sum(rate(tocsin_archive_repeats_total[5m]))"), "repeats"),),
                ),
            ),
        ),
    ),
)  # fmt: skip
