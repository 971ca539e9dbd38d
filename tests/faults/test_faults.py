"""The short form of ``tocsin faults``: a few faults, few alerts, one mesh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from shared.local.database_server import find_database_program
from shared.local.kafka_distribution import find_kafka
from shared.local.server_process import LocalServerError
from tests.faults import FAULTS
from tests.faults.base import Scene
from tests.faults.grounds import GROUNDS
from tests.faults.packets import poisoned
from tests.faults.trial import carry_out
from tests.system.mesh import RunningMesh

SHORT = ("kill-kafka", "kill-database", "poison-packets", "hostile-envelopes")
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    try:
        find_kafka()
        find_database_program()
    except LocalServerError as error:
        pytest.skip(f"no local servers: {error}")
    folder: Path = tmp_path_factory.mktemp("faults")
    with GROUNDS["one-broker"](folder, {}) as running:
        yield running


@pytest.mark.kafka
@pytest.mark.database
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost(mesh: RunningMesh, name: str) -> None:
    scene = Scene(mesh, Random(name), 5.0, 400, 100.0, 50 + SHORT.index(name))
    outcome = carry_out(BY_NAME[name], scene)
    assert outcome.complaints == []
    assert outcome.alerts == 400
    assert (outcome.missing, outcome.repeated_at_edges) == (0, 0)


def test_faults_have_different_names_and_say_what_they_do() -> None:
    assert len(BY_NAME) == len(FAULTS)
    assert all(fault.summary for fault in FAULTS)
    assert {fault.ground for fault in FAULTS} == set(GROUNDS)


def test_poison_is_another_packet() -> None:
    packet = bytes(range(256)) * 40
    random = Random(1)
    assert all(poisoned(packet, random) != packet for _ in range(50))
