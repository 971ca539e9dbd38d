"""What leaves: filters, topics, channels, the portal."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Row, or_zero

BOARD = Board(
    "delivery",
    "Tocsin: delivery",
    (
        Row(
            "Filters",
            (
                Panel(
                    "Delivered", "Messages per second on each out topic.", "reqps",
                    (("sum by (destination) (rate(tocsin_deliveries_total[2m]))",
                      "{{destination}}"),),
                ),
                Panel(
                    "Time of all filters", "On one take of alerts, all in one query.", "s",
                    (("histogram_quantile(0.95, sum by (le) "
                      "(rate(tocsin_filter_seconds_bucket[5m])))", "p95"),
                     ("sum(rate(tocsin_filter_seconds_sum[5m])) / "
                      "sum(rate(tocsin_filter_seconds_count[5m]))", "mean")),
                ),
                Panel(
                    "Paused", "Filters that broke their budget.", "short",
                    ((or_zero("sum(tocsin_filter_paused)"), "paused"),), kind="number",
                ),
                Panel(
                    "Held back", "Repeats that were not sent a second time, per minute.", "short",
                    ((or_zero("60 * sum(rate(tocsin_delivery_repeats_total[5m]))"), "repeats"),),
                ),
            ),
        ),
        Row(
            "Channels",
            (
                Panel(
                    "Deliveries", "Per minute, by channel and state.", "short",
                    ((or_zero("60 * sum by (channel, state) "
                              "(rate(tocsin_courier_deliveries_total[5m]))"),
                      "{{channel}} {{state}}"),),
                ),
                Panel(
                    "Oldest waiting", "A peer that is away keeps its deliveries waiting.", "s",
                    ((or_zero("max by (channel) (tocsin_courier_oldest_seconds)"),
                      "{{channel}}"),),
                ),
                Panel(
                    "VTP subscribers", "Connections to the VOEvent broker.", "short",
                    ((or_zero("sum(tocsin_vtp_subscribers)"), "subscribers"),), kind="number",
                ),
            ),
        ),
        Row(
            "Portal",
            (
                Panel(
                    "Requests", "Per second, by status.", "reqps",
                    ((or_zero("sum by (status) (rate(tocsin_portal_requests_total[2m]))"),
                      "{{status}}"),),
                ),
                Panel(
                    "Time of a request, p95", "Streams apart.", "s",
                    ((or_zero("histogram_quantile(0.95, sum by (le) "
                              "(rate(tocsin_portal_request_seconds_bucket[5m])))"), "p95"),),
                ),
            ),
        ),
    ),
)  # fmt: skip
