"""Judges a classifier on labelled light curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.csv as pa_csv

from services.classify.classifiers.base import REASONS, ModelClassifier
from services.classify.classifiers.transient import TAXONOMY
from services.classify.features import compute_features
from services.classify.light_curve_file import LightCurveFile, LightCurveFileError
from services.classify.training.scores import summary

_BATCH = 500
_SPECTRAL_TYPES = (
    ("Ia-91bg", "SN Ia-91bg"),
    ("Ia-02cx", "SN Iax"),
    ("Iax", "SN Iax"),
    ("Ia", "SN Ia"),
    ("Ib", "SN Ibc"),
    ("Ic", "SN Ibc"),
    ("II", "SN II"),
    ("SLSN", "SLSN"),
)
"""How a spectral type begins, and our class."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a classifier said of the objects it answered for, beside the truth."""

    classes: tuple[str, ...]
    label: npt.NDArray[np.int64]
    """Shape (k,): index into ``classes``, -1 for none of them."""
    probabilities: npt.NDArray[np.float64]
    """Shape (k, classes)."""
    p_unknown: npt.NDArray[np.float64]
    """Shape (k,), NaN where the classifier has none."""
    abstained: dict[str, int]
    """Objects by reason."""


def class_of_label(label: str) -> str:
    """Our class for a label: its own name, a spectral type, or the label as it is."""
    plain = label.strip()
    by_lower = {name.lower(): name for name in TAXONOMY}
    if plain.lower() in by_lower:
        return by_lower[plain.lower()]
    bare = plain.removeprefix("SN ").strip()
    for beginning, name in _SPECTRAL_TYPES:
        if bare.startswith(beginning):
            return name
    return plain


def read_labels(path: Path) -> dict[str, str]:
    """Label by object id; raises ``LightCurveFileError`` if the columns are not there."""
    try:
        table = pa_csv.read_csv(path)
        names = [str(x) for x in table.column("object_id").to_pylist()]
        labels = [str(x) for x in table.column("label").to_pylist()]
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LightCurveFileError(
            f"{path}: columns object_id and label are needed: {reason}"
        ) from error
    return dict(zip(names, labels, strict=True))


def labelled(curves: LightCurveFile, labels: Mapping[str, str] | None) -> list[str]:
    """The class of every object of a file.

    Raises
    ------
    LightCurveFileError
        If an object has no label.
    """
    if labels is None:
        found = curves.label.tolist()
    else:
        found = [labels.get(name, "") for name in curves.object_id.tolist()]
    missing = [n for n, one in zip(curves.object_id.tolist(), found, strict=True) if not one]
    if missing:
        raise LightCurveFileError(
            f"{len(missing)} of {len(found)} objects have no label, {missing[0]} for one; give a"
            " column label, or --labels with object_id and label"
        )
    return [class_of_label(one) for one in found]


def judge(curves: LightCurveFile, label: list[str], classifier: ModelClassifier) -> Judged:
    """Ask a classifier about every object."""
    classes = classifier.model.classes
    names = [name if name in classes else "other" for name in label]
    index = {name: k for k, name in enumerate(classes)}
    truth = np.array([index.get(name, -1) for name in names], dtype=np.int64)
    labels, rows, unknown = [], [], []
    abstained: dict[str, int] = {}
    for start in range(0, len(curves), _BATCH):
        batch = curves.batch(start, start + _BATCH)
        answer = classifier.answer(batch, compute_features(batch))
        answered = answer.reasons.answered
        labels.append(truth[start : start + _BATCH][answered])
        rows.append(answer.probabilities)
        model = answer.model
        unknown.append(
            np.full(len(answer.rows), np.nan)
            if model.unknown is None
            else model.unknown.probability(answer.rows, answer.of_light_curve)
        )
        for code in answer.reasons.codes[~answered].tolist():
            abstained[REASONS[code]] = abstained.get(REASONS[code], 0) + 1
    return Judged(
        classes, np.concatenate(labels), np.concatenate(rows), np.concatenate(unknown), abstained
    )


def measures(judged: Judged) -> dict[str, Any]:
    """All numbers: overall, and each class against the rest."""
    label, probabilities = judged.label, judged.probabilities
    result: dict[str, Any] = {"answered": len(label), "abstained": judged.abstained}
    known = label >= 0
    if known.any():
        result |= summary(label[known], probabilities[known], judged.classes)
    result["one_against_rest"] = {
        name: found
        for k, name in enumerate(judged.classes)
        if (found := against_rest(label == k, probabilities, k)) is not None
    }
    if known.any() and not known.all() and not np.isnan(judged.p_unknown).all():
        result["unknown_auroc"] = _area(~known, judged.p_unknown)
    return result


def against_rest(
    truth: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.float64], k: int
) -> dict[str, float] | None:
    """Objects, efficiency, purity and AUC of class ``k``; None where there is none of it."""
    if not truth.any():
        return None
    said = probabilities.argmax(axis=1) == k
    found = {"objects": int(truth.sum()), "efficiency": round(float(said[truth].mean()), 4)}
    if said.any():
        found["purity"] = round(float(truth[said].mean()), 4)
    if not truth.all():
        found["auc"] = _area(truth, probabilities[:, k])
    return found


def _area(truth: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> float:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  # slow to import

    return round(float(roc_auc_score(truth, score)), 4)
