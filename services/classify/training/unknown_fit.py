"""Fits ``p_unknown``: classes are hidden one after another, and must be noticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.training.trees import class_weights, grow
from services.classify.unknown import UnknownScorer, ranks_among, standardised, terms

FloatArray = npt.NDArray[np.float64]
HIDDEN = ("kilonova", "SLSN", "microlensing", "Mira", "TDE", "M-dwarf flare", "AGN")
"""Classes that are hidden in turn, as in the benchmark."""
_SHRINKAGE = 0.05
_REFERENCES = 1_500
_SIGNS = 3


@dataclass(frozen=True, slots=True)
class HiddenClass:
    """What was seen while one class was hidden."""

    name: str
    ranks: FloatArray
    """Shape (n, signs)."""
    is_hidden: npt.NDArray[np.bool_]


def space_of(
    rows: npt.NDArray[np.float32],
    label: npt.NDArray[np.integer[Any]],
    seed: int,
    counted: npt.NDArray[np.bool_] | None = None,
) -> UnknownScorer:
    """Discriminants and reference points of training examples; the rest is to come.

    Parameters
    ----------
    rows, label
        Examples, shape (n, features) and (n,).
    seed
        Of the choice of reference points.
    counted
        Shape (features,): those that distances are measured in; all by default.
    """
    with np.errstate(invalid="ignore"):
        logs = np.sign(rows) * np.log1p(np.abs(rows))
    logs[:, np.isnan(logs).all(axis=0)] = 0.0  # never given: says nothing
    low, centre, high = (np.nanpercentile(logs, q, axis=0) for q in (0.5, 50.0, 99.5))
    scale = np.where(high > low, high - low, 1.0)
    centre, scale = centre.astype(np.float32), scale.astype(np.float32)
    standard = standardised(rows, centre, scale).astype(np.float64)
    every = np.ones(rows.shape[1], dtype=bool)
    columns = np.flatnonzero(np.tile(every if counted is None else counted, 2))
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE)
    lda.fit(standard[:, columns], label)
    dimensions = len(lda.classes_) - 1
    axes = np.zeros((standard.shape[1], dimensions), dtype=np.float32)
    axes[columns] = lda.scalings_[:, :dimensions]
    chance = np.random.default_rng(seed).random(len(rows)) ** (
        1.0 / class_weights(label, int(label.max()) + 1, 0.7)
    )
    picked = np.sort(np.argsort(-chance)[:_REFERENCES])
    return UnknownScorer(
        centre=centre,
        scale=scale,
        axes=axes,
        reference=np.asarray(standard[picked].astype(np.float32) @ axes, dtype=np.float32),
        quantiles=np.zeros((_SIGNS, 101)),
        weights=np.zeros(1),
    )


def with_quantiles(
    space: UnknownScorer, rows: npt.NDArray[np.float32], probabilities: FloatArray
) -> UnknownScorer:
    """The space with the quantiles of its signs among known objects that were not trained on."""
    signs = space.signs(rows, probabilities)
    quantiles = np.percentile(signs, np.linspace(0.0, 100.0, 101), axis=0).T
    return UnknownScorer(
        space.centre, space.scale, space.axes, space.reference, quantiles, space.weights
    )


def with_weights(space: UnknownScorer, weights: FloatArray) -> UnknownScorer:
    """The space with the weights of the logistic function."""
    return UnknownScorer(
        space.centre, space.scale, space.axes, space.reference, space.quantiles, weights
    )


Grow = Callable[[npt.NDArray[np.float32], npt.NDArray[np.integer[Any]], int], BoostedTrees]


def hide(
    name: str,
    rows: npt.NDArray[np.float32],
    label: npt.NDArray[np.integer[Any]],
    is_test: npt.NDArray[np.bool_],
    taxonomy: Sequence[str],
    seed: int,
    grown: Grow | None = None,
    counted: npt.NDArray[np.bool_] | None = None,
) -> HiddenClass:
    """Train without one class, and look at it among known objects that were not trained on.

    Parameters
    ----------
    name
        The class to hide.
    rows, label, is_test
        Examples, shape (n, features), (n,), (n,); those of the hidden class all are judged.
    taxonomy
        Names of the labels.
    seed
        Of the trees.
    grown
        How trees are grown; small ones by default.
    counted
        Features that distances are measured in; all by default.
    """
    hidden = label == list(taxonomy).index(name)
    train = ~hidden & ~is_test
    kept, dense = np.unique(label[train], return_inverse=True)
    dense = dense.astype(np.int16)
    if grown is None:
        trees = grow(
            rows[train], dense, len(kept), class_weights(dense, len(kept)), seed=seed, rounds=100
        )
    else:
        trees = grown(rows[train], dense, len(kept))
    forest = Forest(trees)
    space = space_of(rows[train], dense, seed, counted)
    known = ~hidden & is_test
    space = with_quantiles(space, rows[known], probabilities_of(forest.scores(rows[known])))
    judged = known | hidden
    signs = space.signs(rows[judged], probabilities_of(forest.scores(rows[judged])))
    return HiddenClass(name, ranks_among(signs, space.quantiles), hidden[judged])


def weights_from(seen: Sequence[HiddenClass]) -> FloatArray:
    """Logistic weights fitted on hidden classes, each class and the known weighing the same."""
    columns = np.concatenate([terms(one.ranks) for one in seen])
    truth = np.concatenate([one.is_hidden for one in seen])
    weight = np.concatenate(
        [
            np.where(h, 0.5 / max(h.sum(), 1), 0.5 / max((~h).sum(), 1))
            for h in (o.is_hidden for o in seen)
        ]
    )
    fit = LogisticRegression(C=10.0, max_iter=2_000)
    fit.fit(columns, truth, sample_weight=weight / weight.mean())
    return np.append(fit.coef_[0], fit.intercept_)


def left_out_scores(seen: Sequence[HiddenClass]) -> dict[str, tuple[float, float]]:
    """AUROC and true positives at 5 % false ones of each hidden class.

    The weights are fitted on the other hidden classes: the judged one is unknown to them too.
    """
    result = {}
    for one in seen:
        weights = weights_from([other for other in seen if other is not one])
        score = terms(one.ranks) @ weights[:-1]
        false, true, _ = roc_curve(one.is_hidden, score)
        result[one.name] = (
            float(roc_auc_score(one.is_hidden, score)),
            float(np.interp(0.05, false, true)),
        )
    return result
