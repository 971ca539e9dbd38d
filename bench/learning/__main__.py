"""Prints the table of docs/learning.md: what is measured, beside what is accepted.

    OMP_NUM_THREADS=1 python -m bench.learning [--rows NAME ...] [--seeds 5] [--json FILE]

Results are added to the JSON file after every row and seed, so a run may be interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bench.learning import rows

ROWS: dict[str, tuple[Callable[[int], rows.Numbers], str]] = {
    "active learning": (rows.active_learning, "fom .40, purity .78, minus random +.03"),
    "from ten objects": (rows.from_ten, "fom .31"),
    "nights": (rows.nights, "ratio 1.3"),
    "nights, equal exposure": (rows.nights_equal, "ratio 1.3"),
    "incremental": (rows.incremental, "minus batch -.01, hold-out .87, cpu ratio 5"),
    "real ZTF": (rows.real_ztf, "incremental .82, batch .84"),
    "anomalies PLAsTiCC": (rows.plasticc_anomalies, "found 115, ratio 3"),
    "anomalies OSC": (rows.osc_anomalies, "ratio 1.2"),
    "two users": (rows.two_users, "least ratio 3, overlap 30 %"),
    "target lists": (rows.target_lists, "random 15-20 %, overlap 20 %, violations 0"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found: dict[str, dict[str, rows.Numbers]] = {}
    if chosen.json is not None and chosen.json.exists():
        found = json.loads(chosen.json.read_text())
    with threadpool_limits(1):
        for seed in range(chosen.seeds):
            for name in chosen.rows:
                if str(seed) in found.get(name, {}):
                    continue
                start = time.process_time()
                found.setdefault(name, {})[str(seed)] = ROWS[name][0](seed)
                spent = time.process_time() - start
                print(f"{name}, seed {seed}: {spent:.0f} s CPU", file=sys.stderr, flush=True)
                if chosen.json is not None:
                    chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    print("| row | seeds | measured | accept |\n|---|---|---|---|")
    for name in chosen.rows:
        runs = list(found[name].values())
        means = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
        words = ", ".join(f"{key} {value:.3f}" for key, value in means.items())
        print(f"| {name} | {len(runs)} | {words} | {ROWS[name][1]} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
