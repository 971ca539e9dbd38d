"""What others have published, and exactly what they measured."""

from __future__ import annotations

PUBLISHED = (
    {
        "system": "BOOM",
        "alerts_per_s": 883.0,
        "cores": 32,
        "workers": 25,
        "measured": "29,142 ZTF alerts preloaded in Kafka, 25 identical filters, one catalog, six "
        "CNNs on CPU; 25 workers on a 32-core EPYC 7002 (arXiv:2511.00164)",
    },
    {
        "system": "Kowalski",
        "alerts_per_s": 117.5,
        "cores": 32,
        "workers": 25,
        "measured": "the same workload and machine, 25 workers (arXiv:2511.00164)",
    },
    {
        "system": "Fink",
        "alerts_per_s": 1900.0,
        "cores": 50,
        "workers": None,
        "measured": "'7 x LSST on about 50 cores', a talk of 2019 without a protocol",
    },
    {
        "system": "Fink science modules",
        "alerts_per_s": 188.0,
        "cores": 1,
        "workers": None,
        "measured": "all ZTF modules together, per core, without Kafka or database "
        "(fink-science-perf 5.9.0, inverse sum of the plotted modules)",
    },
)
