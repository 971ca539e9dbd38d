"""The registry of training and test sets: a literal tuple."""

from __future__ import annotations

from services.classify.training.datasets.base import DatasetDefinition
from services.classify.training.datasets.elasticc import ELASTICC
from services.classify.training.datasets.fast_simulated import FAST_SIMULATED
from services.classify.training.datasets.ogle_real import OGLE_REAL
from services.classify.training.datasets.ogle_simulated import OGLE_SIMULATED
from services.classify.training.datasets.osc import OSC
from services.classify.training.datasets.own_archive import OWN_ARCHIVE
from services.classify.training.datasets.plasticc import PLASTICC
from services.classify.training.datasets.sdss_rrlyrae import SDSS_RRLYRAE
from services.classify.training.datasets.snpcc import SNPCC
from services.classify.training.datasets.stars_simulated import STARS_SIMULATED
from services.classify.training.datasets.ztf_bts import ZTF_BTS
from shared.registry import registry

DATASETS: dict[str, DatasetDefinition] = registry(
    (
        PLASTICC,
        SNPCC,
        OSC,
        ZTF_BTS,
        SDSS_RRLYRAE,
        OGLE_SIMULATED,
        OGLE_REAL,
        FAST_SIMULATED,
        STARS_SIMULATED,
        ELASTICC,
        OWN_ARCHIVE,
    )
)
