"""A filter tried without an alert: what compares a number with a text is refused."""

import pytest

from shared.filters.refusal import FilterRefusedError
from shared.filters.statement import parse_filter
from shared.filters.surveys import tried_on_surveys


@pytest.mark.parametrize(
    "condition",
    [
        "flux_njy = 'abc'",
        "magnitude_ab = 'abc'",  # null where the flux is, so nulls do not tell
        "magnitude_ab BETWEEN 17 AND 'faint'",
        "magnitude_ab IN (17, 'abc')",
        "abs(magnitude_ab) > 'abc'",
        "list_max(lc_flux_njy) > 'abc'",
        "is_simulated = 'maybe'",
    ],
)
def test_a_text_that_is_no_number_is_refused(condition):
    fitting, refusals = tried_on_surveys(parse_filter(condition), None)
    assert not fitting
    assert all(isinstance(error, FilterRefusedError) for error in refusals.values())
    assert "Could not convert string" in next(iter(refusals.values())).why


@pytest.mark.parametrize(
    "condition",
    [
        "magnitude_ab < '19'",
        "is_simulated = 'false'",
        "object_id = 'ZTF21abiuvdk'",
        "object_id::INTEGER > 1",  # depends on the alert
        "sqrt(0.5 - flux_njy) > 1",
        "ln(flux_njy - 1) > 0",
    ],
)
def test_what_depends_on_the_alert_is_let_pass(condition):
    fitting, _ = tried_on_surveys(parse_filter(condition), None)
    assert set(fitting) == {"ztf", "lsst"}
