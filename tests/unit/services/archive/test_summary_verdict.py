"""The one column of the alerts' table that says what an alert was taken for."""

import pytest

from services.archive.summary import _short_verdict

NONE = {"probability": None, "reason": "too_few_points"}
EARLY = {"probability": 0.62, "reason": "ok"}
CLASSED = {"class": "kilonova", "probability": 0.51, "reason": "ok"}


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ({"early_sn_ia": EARLY, "transient": CLASSED}, "kilonova 0.51"),
        ({"early_sn_ia": EARLY, "transient": NONE}, "early_sn_ia 0.62"),
        ({"early_sn_ia": NONE, "transient": None}, "–"),
        ({"transient": {**CLASSED, "class": "a\x1b[2J"}}, "a\\x1b[2J 0.51"),
        ({}, "–"),
    ],
)
def test_a_class_comes_before_a_probability(verdicts, words):
    assert _short_verdict(verdicts) == words
