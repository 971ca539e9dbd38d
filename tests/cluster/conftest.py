"""A control plane for the session: ``make test-cluster`` builds it first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.control_plane import PROGRAMS, ControlPlane

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Real API server, controllers, scheduler; simulated nodes."""
    built = Path(os.environ.get("TOCSIN_CLUSTER", CHECKOUT / ".tocsin/cluster")) / "bin"
    missing = [name for name in PROGRAMS if not (built / name).is_file()]
    if missing:
        pytest.skip(f"not built: {', '.join(missing)}; make test-cluster builds them")
    with ControlPlane(tmp_path_factory.mktemp("cluster"), built) as running:
        yield running
