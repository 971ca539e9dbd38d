"""How biased a night's picks are: published with every list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.learning.targets.candidates import Candidates
from shared.schemas.target import Target

Floats = npt.NDArray[np.floating[Any]]


def divergence(one: Floats, other: Floats) -> float:
    """Jensen-Shannon divergence of two distributions of counts, bits, in [0, 1]."""
    if one.sum() <= 0 or other.sum() <= 0:
        return float("nan")
    p, q = one / one.sum(), other / other.sum()
    mean = 0.5 * (p + q)

    def information(a: Floats) -> float:
        some = a > 0
        return float((a[some] * np.log2(a[some] / mean[some])).sum())

    return 0.5 * (information(p) + information(q))


def bias_metrics(
    targets: Sequence[Target], pool: Candidates, spectroscopic_mag: Floats
) -> dict[str, float]:
    """Numbers about a night's lists, of all facilities together.

    Parameters
    ----------
    targets
        The places.
    pool
        What they were chosen from.
    spectroscopic_mag
        Magnitudes of the objects with a spectrum so far; empty if there are none.
    """
    row = {name: k for k, name in enumerate(pool.object_id.tolist())}
    picked = np.array([row[one.object_id] for one in targets], dtype=np.int64)
    chosen = np.array([not one.is_random for one in targets], dtype=bool)
    mag = pool.mag_now
    edges = np.arange(10.0, 28.0, 1.0)
    class_count = len(pool.classes)
    asked = Counter(one.object_id for one in targets)
    programmes = {(one.facility, one.programme) for one in targets}
    found = {
        "places": float(len(targets)),
        "random_share": float(np.mean(~chosen)) if len(targets) else float("nan"),
        "js_magnitude": divergence(
            np.histogram(mag[picked], edges)[0] * 1.0, np.histogram(mag, edges)[0] * 1.0
        ),
        "js_class": divergence(
            np.bincount(pool.predicted[picked], minlength=class_count) * 1.0,
            np.bincount(pool.predicted, minlength=class_count) * 1.0,
        ),
        "most_requests_of_one_object": float(max(asked.values(), default=0)),
        "programme_overlap": _overlap(targets),
        "programmes": float(len(programmes)),
    }
    if len(spectroscopic_mag) and len(picked):
        middle = float(np.nanmedian(spectroscopic_mag))
        found["share_fainter_than_spectroscopic_median"] = float(np.mean(mag[picked] > middle))
    return found


def _overlap(targets: Sequence[Target]) -> float:
    """Share of the objects that more than one programme was given."""
    owners: dict[str, set[tuple[str, str]]] = {}
    for one in targets:
        owners.setdefault(one.object_id, set()).add((one.facility, one.programme))
    return sum(len(own) > 1 for own in owners.values()) / max(len(owners), 1)


def weighted_mean(values: Mapping[str, float], targets: Sequence[Target]) -> float:
    """Mean of a quantity over the pool, from the random places alone.

    Random places are an even sample of what a facility can observe: inverse-propensity weights
    (Horvitz & Thompson 1952) bring facilities of different depth together.
    """
    known = [one for one in targets if one.is_random and one.object_id in values]
    weights = np.array([1.0 / one.propensity for one in known])
    if not len(weights):
        return float("nan")
    return float(np.average([values[one.object_id] for one in known], weights=weights))
