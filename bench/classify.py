"""CPU per alert of classify's parts, beside scikit-learn's own evaluation of an equal model.

    OMP_NUM_THREADS=1 python bench/classify.py [--json]

scikit-learn's model is fitted here to made-up rows with the size of the shipped one (150 trees of
24 leaves): the shipped model is arrays, which scikit-learn cannot read. Both are evaluated on the
same rows, and must agree.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from services.classify.classifiers import load_classifiers
from services.classify.classify import classify
from services.classify.features import compute_features, features_column
from services.classify.training.export import trees_of
from shared.testing.batches import made_up_batch


def cpu_us_per_alert(work: Callable[[], Any], alerts: int, least_s: float = 0.5) -> float:
    work()
    rounds, start = 0, time.process_time()
    while time.process_time() - start < least_s:
        work()
        rounds += 1
    return (time.process_time() - start) / rounds / alerts * 1e6


def equal_model(features: int) -> HistGradientBoostingClassifier:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, features)).astype(np.float32)
    truth = rows @ rng.normal(size=features) + 3 * rng.normal(size=20_000) > 0
    rows[rng.random(rows.shape) < 0.3] = np.nan
    model = HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=24, learning_rate=0.08, early_stopping=False, random_state=0
    )
    return model.fit(rows, truth)


def measure(alerts: int, model: HistGradientBoostingClassifier) -> dict[str, float]:
    classifiers = load_classifiers()
    batch = made_up_batch(alerts, seed=1, points=(5, 40))
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(alerts, model.n_features_in_)).astype(np.float32)
    trees = trees_of(model)
    difference = np.abs(trees.probability(rows) - model.predict_proba(rows)[:, 1]).max()
    if difference > 1e-6:
        raise AssertionError(f"kernel and scikit-learn differ by {difference}")
    features = compute_features(batch)
    parts = {
        "features": lambda: compute_features(batch),
        "features to Arrow": lambda: features_column(features),
        "trees, our kernel": lambda: trees.probability(rows),
        "trees, scikit-learn": lambda: model.predict_proba(rows),
        "classify, all in": lambda: classify(batch, classifiers),
    }
    return {name: round(cpu_us_per_alert(work, alerts), 2) for name, work in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    with threadpool_limits(1):
        model = equal_model(len(load_classifiers()[0].model.features))
        table = {alerts: measure(alerts, model) for alerts in (100, 500)}
    if as_json:
        print(json.dumps(table))
        return
    print("CPU us per alert, one thread" + "".join(f"{n:>12d}/batch" for n in table))
    for name in table[100]:
        print(f"{name:28s}" + "".join(f"{row[name]:18.2f}" for row in table.values()))


if __name__ == "__main__":
    main()
