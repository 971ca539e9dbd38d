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
from tests.faults.table import Run, read, show, write
from tests.faults.trial import Outcome, carry_out
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


def test_the_table_joins_runs_and_says_where_it_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run("tocsin faults --only kill", "2026-11-22 19:00 UTC", 1)
    first.outcomes += [Outcome("kill-mma", 500, recovery_s=7.4, restarts=1) for _ in range(2)]
    first.left_out["network-slow"] = "no root"
    second = Run("tocsin faults --only kill-mma", "2026-11-23 07:00 UTC", 2)
    second.outcomes.append(Outcome("kill-mma", 500, missing=3, complaints=["3 are missing"]))
    for number, run in enumerate((first, second)):
        write(tmp_path / f"{number}.json", run)
    show([read(tmp_path / f"{number}.json") for number in range(2)])
    said = capsys.readouterr().out
    assert "| kill-mma | 3 | 1,500 | 3 | 0 | 0 | 2 | 7 | balances 2/3 |" in said
    assert "`tocsin faults --only kill`, 2026-11-22 19:00 UTC, seed 1." in said
    assert "Left out: network-slow (no root)." in said
