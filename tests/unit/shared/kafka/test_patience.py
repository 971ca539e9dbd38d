"""Clients must give a broker up soon, and not before its group or its replicas have."""

from shared.kafka import patience
from shared.kafka.app import create_app
from shared.settings import ServiceSettings

REPLICA_GIVEN_UP_S = 9.0
"""Kafka's broker.session.timeout.ms."""


def test_each_outlasts_what_it_waits_for():
    assert patience.HEARTBEAT_S * 2 < patience.SESSION_S < patience.REBALANCE_S
    assert patience.REBALANCE_S < patience.REQUEST_S
    assert patience.SEND_S > REPLICA_GIVEN_UP_S


def test_a_worker_does_not_insist_for_longer_than_thirty_seconds(tmp_path):
    conf = create_app("patient", ServiceSettings(state_dir=tmp_path)).conf
    assert conf.broker_request_timeout == patience.REQUEST_S < 30
    assert conf.consumer_metadata_max_age_ms == patience.ms(patience.METADATA_AGE_S) < 30_000
    assert conf.broker_rebalance_timeout == patience.REBALANCE_S
