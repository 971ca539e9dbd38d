"""One small night of each survey, shared by the tests: making one takes a second."""

import importlib.metadata

import numpy as np
import pytest

from services.simulate.population import simulate_night
from services.simulate.surveys import WRITERS
from services.simulate.telescopes import LSST, ZTF

N_ZTF, N_LSST = 300, 150
NIGHT_MJD = 61_041


def _need_packages() -> None:
    for package in ("fink-science", "PyOngc", "lsst-alert-packet"):
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"needs the data files of {package}: packages-without-dependencies.txt")


@pytest.fixture(scope="session")
def ztf_night():
    _need_packages()
    return simulate_night(ZTF, NIGHT_MJD, N_ZTF, seed=5)


@pytest.fixture(scope="session")
def lsst_night():
    _need_packages()
    return simulate_night(LSST, NIGHT_MJD, N_LSST, seed=5)


@pytest.fixture(scope="session")
def ztf_packets(ztf_night):
    return WRITERS["ztf"](ztf_night).write(np.arange(N_ZTF))


@pytest.fixture(scope="session")
def lsst_packets(lsst_night):
    return WRITERS["lsst"](lsst_night).write(np.arange(N_LSST))
