"""What is learnt: labels and votes in, models judged, drift, the gate, lists of targets."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Row, or_zero

BOARD = Board(
    "learning",
    "Tocsin: learning",
    (
        Row(
            "What comes in",
            (
                Panel(
                    "Labels", "Held by the topic, by how they are known.", "short",
                    (("sum by (source) (tocsin_learning_labels)", "{{source}}"),),
                ),
                Panel(
                    "Votes", "Held by the topic, by opinion: anomaly, regular, unknown.", "short",
                    (("sum by (opinion) (tocsin_learning_votes)", "{{opinion}}"),),
                ),
                Panel(
                    "Newest label", "Time since a label was last taken in. Days without one: "
                    "nothing new is learnt.", "s",
                    (("time() - max(tocsin_learning_newest_label_seconds)", "age"),),
                    kind="number",
                ),
                Panel(
                    "Users and objects", "Users who voted, and objects their lists are made of.",
                    "short", (("sum by (what) (tocsin_learning_panel)", "{{what}}"),),
                ),
            ),
        ),
        Row(
            "How good it is",
            (
                Panel(
                    "Accuracy", "Delayed prequential: answers frozen before their labels came, "
                    "of the last 60 nights.", "percentunit",
                    (('max by (loop, role) (tocsin_learning_score{measure="accuracy"})',
                      "{{role}} ({{loop}})"),),
                ),
                Panel(
                    "Macro-F1", "Of the same answers: every class counts the same.",
                    "percentunit",
                    (('max by (loop, role) (tocsin_learning_score{measure="macro_f1"})',
                      "{{role}} ({{loop}})"),),
                ),
                Panel(
                    "Log-loss and calibration",
                    "Class-weighted log-loss, and expected calibration error; lower is better.",
                    "short",
                    (('max by (loop, role, measure) '
                      '(tocsin_learning_score{measure=~"log_loss|ece"})',
                      "{{measure}} {{role}} ({{loop}})"),),
                ),
                Panel(
                    "Judged and taught", "Answers that could be judged, and examples learnt.",
                    "short",
                    (("max by (loop) (tocsin_learning_judged)", "judged ({{loop}})"),
                     ("max by (loop) (tocsin_learning_lessons)", "lessons ({{loop}})")),
                ),
            ),
        ),
        Row(
            "Drift",
            (
                Panel(
                    "Features that changed", "By Kolmogorov-Smirnov distance and population "
                    "stability index, against the first two weeks.", "short",
                    (("max by (loop) (tocsin_learning_drift_features)", "{{loop}}"),),
                ),
                Panel(
                    "Greatest stability index", "Of one feature. 0.1 is noticeable, 0.25 a change.",
                    "short", (("max by (loop) (tocsin_learning_drift_psi)", "{{loop}}"),),
                ),
                Panel(
                    "Alarms on the error", "Of ADWIN, on the answers of the last 60 nights.",
                    "short", (("max by (loop) (tocsin_learning_drift_error_alarms)", "{{loop}}"),),
                ),
            ),
        ),
        Row(
            "The loop and its gate",
            (
                Panel(
                    "Nights by decision", "Challengers promoted or kept back; promotions taken "
                    "back.", "short",
                    (("max by (loop, decision) (tocsin_learning_gate_decisions)",
                      "{{decision}} ({{loop}})"),),
                ),
                Panel(
                    "Objections", "Reasons of the last night not to promote: "
                    "tocsin learn nightly --report.", "short",
                    (("max by (loop) (tocsin_learning_objections)", "{{loop}}"),),
                    kind="number",
                ),
                Panel(
                    "Age of the models", "Nights since each was last taught, to the last night.",
                    "short",
                    (("max by (loop, role) (tocsin_learning_model_age_nights)",
                      "{{role}} ({{loop}})"),),
                ),
                Panel(
                    "Since the last night", "Of the real loop: more than a day and a half, and a "
                    "night was left out.", "s",
                    ((or_zero('time() - max(tocsin_learning_night_end_seconds{loop="real"})'),
                      "real"),),
                    kind="number",
                ),
            ),
        ),
        Row(
            "Lists of targets",
            (
                Panel(
                    "Places", "On the newest lists, by facility.", "short",
                    (("max by (loop, facility) (tocsin_learning_targets_places)",
                      "{{facility}} ({{loop}})"),),
                ),
                Panel(
                    "Random places", "Share of all; 15 to 20 % keep the sample representative.",
                    "percentunit",
                    (('max by (loop) (tocsin_learning_targets_bias{measure="random_share"})',
                      "{{loop}}"),),
                    kind="number",
                ),
                Panel(
                    "Unlike the pool", "Jensen-Shannon divergence of picks from candidates, bits: "
                    "0 is alike.", "short",
                    (('max by (loop, measure) (tocsin_learning_targets_bias{measure=~"js_.*"})',
                      "{{measure}} ({{loop}})"),),
                ),
                Panel(
                    "Broken promises", "Violated quotas, and objects that two programmes were "
                    "given.", "short",
                    (('max by (loop, measure) (tocsin_learning_targets_bias'
                      '{measure=~"quota_violations|programme_overlap"})',
                      "{{measure}} ({{loop}})"),),
                ),
            ),
        ),
    ),
)  # fmt: skip
