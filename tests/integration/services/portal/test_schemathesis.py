"""Schemathesis asks whatever the OpenAPI document allows, as an operator: no server error.

Last of this folder: it closes accounts and revokes tokens as it likes.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from services.portal.app import create_app
from services.portal.settings import PortalSettings

pytestmark = [pytest.mark.kafka, pytest.mark.database]

# Streams do not end, and a backtest takes seconds; everything else is asked.
schema = schemathesis.openapi.from_dict(create_app(PortalSettings()).openapi()).exclude(
    path_regex="/stream$|/backtest$"
)


@schema.parametrize()
@settings(
    max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_no_request_makes_the_portal_fail(case, world):
    case.call_and_validate(
        base_url=world.url,
        headers={"Authorization": f"Bearer {world.tokens['olga']}"},
        checks=[schemathesis.checks.not_a_server_error],
        timeout=30,
    )
