"""Reproduces the table of docs/classifiers.md.

    OMP_NUM_THREADS=1 python -m bench.classifiers [--tests NAME ...] [--seeds 5] [--json FILE]

Results are added to the JSON file after every test and seed, so a run may be interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bench.classifiers import plasticc, real, snpcc

Test = Callable[..., dict[str, float]]
TESTS: dict[str, Test] = {
    **{f"snpcc early +{d} d": partial(snpcc.early, d, with_host=False) for d in (0, 3, 14)},
    **{f"snpcc early +{d} d, photo-z": partial(snpcc.early, d, with_host=True) for d in (3, 14)},
    "snpcc 3 classes": partial(snpcc.three_classes, with_host=False),
    "snpcc 3 classes, photo-z": partial(snpcc.three_classes, with_host=True),
    "plasticc 14 classes": plasticc.fourteen,
    "ogle": real.ogle,
    "osc": real.osc,
    "plasticc unknown": plasticc.unknown,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", nargs="*", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {}
    if chosen.json is not None and chosen.json.exists():
        found = json.loads(chosen.json.read_text())
    with threadpool_limits(1):
        for seed in range(chosen.seeds):
            for name in chosen.tests:
                if str(seed) in found.get(name, {}):
                    continue
                start = time.process_time()
                found.setdefault(name, {})[str(seed)] = TESTS[name](seed=seed)
                spent = time.process_time() - start
                print(f"{name}, seed {seed}: {spent:.0f} s CPU", file=sys.stderr, flush=True)
                if chosen.json is not None:
                    chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    for name in chosen.tests:
        runs = list(found[name].values())
        means = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
        words = ", ".join(f"{key} {value:.3f}" for key, value in means.items())
        print(f"{name} ({len(runs)} seeds): {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
