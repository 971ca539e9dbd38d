"""CPU per alert of classify's parts, beside LightGBM's own evaluation of an equal model.

    OMP_NUM_THREADS=1 python bench/classify.py [--json] [--real]

Alerts are made up (5 to 40 points, g and r), or with --real those of the packets in TOCSIN_DATA,
repeated. LightGBM's model is fitted here to made-up rows with the size of the shipped early_sn_ia;
both are evaluated on the same rows, and must agree.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from services.classify.boosted_trees import Forest, probabilities_of
from services.classify.classifiers import load_classifiers
from services.classify.classify import classify
from services.classify.features import FAMILIES, compute_features, features_column
from services.classify.training.export import trees_of
from shared.alert_batch import AlertBatch
from shared.testing.batches import made_up_batch
from shared.testing.ztf_packets import batch_of


def cpu_us_per_alert(work: Callable[[], Any], alerts: int, least_s: float = 0.5) -> float:
    work()
    rounds, start = 0, time.process_time()
    while time.process_time() - start < least_s:
        work()
        rounds += 1
    return (time.process_time() - start) / rounds / alerts * 1e6


def equal_model(features: int) -> lightgbm.Booster:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, features)).astype(np.float32)
    truth = rows @ rng.normal(size=features) + 3 * rng.normal(size=20_000) > 0
    rows[rng.random(rows.shape) < 0.3] = np.nan
    settings = {"objective": "binary", "num_leaves": 24, "num_threads": 1, "verbose": -1}
    return lightgbm.train(settings, lightgbm.Dataset(rows, truth), 150)


def real_batch(alerts: int) -> AlertBatch:
    import pyarrow.parquet as pq  # noqa: PLC0415  # only if asked for

    data = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    packets = pq.read_table(data / "ztf" / "night_20240115_849_no_cutouts.parquet").to_pylist()
    whole = batch_of(packets)
    times = -(-alerts // len(whole))
    table = pa.Table.from_batches([whole.record_batch] * times).combine_chunks()
    return AlertBatch(table.to_batches()[0]).slice(0, alerts)


def measure(alerts: int, booster: lightgbm.Booster, *, real: bool) -> dict[str, float]:
    classifiers = load_classifiers()
    batch = real_batch(alerts) if real else made_up_batch(alerts, seed=1, points=(5, 40))
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(alerts, booster.num_feature())).astype(np.float32)
    forest = Forest(trees_of(booster))
    ours = probabilities_of(forest.scores(rows))[:, 0]
    difference = np.abs(ours - booster.predict(rows)).max()
    if difference > 1e-6:
        raise AssertionError(f"kernel and LightGBM differ by {difference}")
    features = compute_features(batch)
    parts: dict[str, Callable[[], Any]] = {
        "trees, our kernel": lambda: forest.scores(rows),
        "trees, LightGBM": lambda: booster.predict(rows, num_threads=1),
        **{f"features {f.name}": partial(f.compute, batch) for f in FAMILIES},
        "features to Arrow": lambda: features_column(features),
        **{c.name: partial(c.verdicts, batch, features) for c in classifiers},
        "classify, all in": lambda: classify(batch, classifiers),
    }
    table = {name: round(cpu_us_per_alert(work, alerts), 2) for name, work in parts.items()}
    table["without the fit of microlensing"] = round(
        table["classify, all in"] - table["microlensing"], 2
    )
    for classifier in classifiers:
        struct = classifier.verdicts(batch, features)
        if struct.type.get_field_index("reason") >= 0:
            answered = np.mean([r == "ok" for r in struct.field("reason").to_pylist()])
            table[f"answered by {classifier.name}, %"] = round(100.0 * float(answered), 1)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--real", action="store_true", help="real ZTF packets of TOCSIN_DATA")
    chosen = parser.parse_args()
    with threadpool_limits(1):
        booster = equal_model(45)
        table = {n: measure(n, booster, real=chosen.real) for n in (100, 500)}
    if chosen.json:
        print(json.dumps(table))
        return
    print("CPU us per alert, one thread" + "".join(f"{n:>12d}/batch" for n in table))
    for name in table[100]:
        print(f"{name:34s}" + "".join(f"{row[name]:18.2f}" for row in table.values()))


if __name__ == "__main__":
    main()
