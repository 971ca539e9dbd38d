"""What is seen in the sky: classes, anomalies, associations, filters."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Row, or_zero

BOARD = Board(
    "science",
    "Tocsin: science",
    (
        Row(
            "Classification",
            (
                Panel(
                    "Verdicts", "Alerts per second that each classifier answers for.", "reqps",
                    (('sum by (classifier) (rate(tocsin_classify_verdicts_total{reason="ok"}[5m]))',
                      "{{classifier}}"),),
                ),
                Panel(
                    "Abstentions", "Alerts per second without an answer, by reason.", "reqps",
                    (('sum by (reason) (rate(tocsin_classify_verdicts_total{reason!="ok"}[5m]))',
                      "{{reason}}"),),
                ),
                Panel(
                    "Light-curve points", "Per alert, of every kind.", "short",
                    (("sum by (survey) (rate(tocsin_ingest_light_curve_points_total[5m])) / "
                      "sum by (survey) (rate(tocsin_ingest_alerts_total[5m]))", "{{survey}}"),),
                ),
            ),
        ),
        Row(
            "Catalogs",
            (
                Panel(
                    "Matches", "Sources found near alerts, per second and catalog.", "reqps",
                    (("sum by (catalog) (rate(tocsin_xmatch_matches_total[5m]))", "{{catalog}}"),),
                ),
                Panel(
                    "Sources", "Rows of each catalog that is searched.", "short",
                    (("sum by (catalog, version) (tocsin_xmatch_catalog_rows)",
                      "{{catalog}} {{version}}"),),
                ),
            ),
        ),
        Row(
            "Multi-messenger",
            (
                Panel(
                    "Notices", "Per hour, by type.", "short",
                    ((or_zero("3600 * sum by (notice_type) (rate(tocsin_mma_notices_total[1h]))"),
                      "{{notice_type}}"),),
                ),
                Panel(
                    "Associations", "Told per hour: new, updated, withdrawn.", "short",
                    ((or_zero("3600 * sum by (messenger, state) "
                              "(rate(tocsin_mma_associations_total[1h]))"),
                      "{{messenger}} {{state}}"),),
                ),
                Panel(
                    "Held in memory", "Events, alerts and associations that mma remembers.",
                    "short", (("sum by (what) (tocsin_mma_memory)", "{{what}}"),),
                ),
            ),
        ),
    ),
)  # fmt: skip
