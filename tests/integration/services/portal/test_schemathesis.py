"""Schemathesis reads the OpenAPI document and asks whatever comes to its mind: no server error."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

pytestmark = [pytest.mark.kafka, pytest.mark.database]


@pytest.fixture(scope="module")
def api_schema(world):
    # Streams do not end; everything else is asked.
    whole = schemathesis.openapi.from_url(f"{world.url}/api/v1/openapi.json")
    return whole.exclude(path_regex="/stream$|/backtest$")


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_no_request_makes_the_portal_fail(case, world):
    case.call_and_validate(
        headers={"Authorization": f"Bearer {world.tokens['olga']}"},
        checks=[schemathesis.checks.not_a_server_error],
        timeout=30,
    )
