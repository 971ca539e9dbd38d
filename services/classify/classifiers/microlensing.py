"""Is this a point lens that magnifies a point source? The task of MicroLIA (arXiv:2004.14347).

Paczyński's curve is fitted, all bands together, to light curves of ten points with five
detections; trees judge by what the fit leaves over. Constant light is no matter: difference and
total fluxes serve alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.classifiers.base import (
    Abstention,
    Answer,
    BoolArray,
    ClassifierDefinition,
)
from services.classify.classifiers.matched_variables import has_variable_star
from services.classify.features.base import Features
from services.classify.features.paczynski import NAMES, is_usable, paczynski_features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import MICROLENSING as FIELD

MIN_POINTS = 10
MIN_DETECTIONS = 5


def abstentions(batch: AlertBatch, features: Features) -> list[Abstention]:
    """Grounds not to answer, gravest first."""
    enough = features.of("whole_n_points") >= MIN_POINTS
    enough &= features.of("whole_n_5sigma") >= MIN_DETECTIONS
    return [
        Abstention("solar_system", batch.integers("is_solar_system") == 1),
        Abstention("variable_star_match", has_variable_star(batch)),
        Abstention("too_few_points", ~enough),
    ]


def rows(
    batch: AlertBatch, features: Features, names: Sequence[str], answered: BoolArray
) -> npt.NDArray[np.float32]:
    """Fit the light curves that are answered, shape (k, len(names))."""
    del features
    fitted, _ = paczynski_features(batch.light_curves.curves(np.flatnonzero(answered)))
    return np.ascontiguousarray(fitted[[NAMES.index(name) for name in names]].T)


def more(answer: Answer) -> Mapping[str, pa.Array]:
    """Time, duration and impact parameter of the fit."""

    def of(name: str) -> npt.NDArray[np.float64]:
        return answer.rows[:, answer.model.features.index(name)].astype(np.float64)

    curves = answer.batch.light_curves.curves(np.flatnonzero(answer.reasons.answered))
    usable = curves.points(is_usable(curves))
    first, last = usable.mjd_tai[usable.offsets[:-1]], usable.mjd_tai[usable.offsets[1:] - 1]
    t0 = first + of("lens_place") * (last - first)
    return {
        "t0_mjd_tai": answer.reasons.spread(t0, pa.float64()),
        "einstein_days": answer.reasons.spread(of("lens_einstein_days"), pa.float32()),
        "u0": answer.reasons.spread(of("lens_u0"), pa.float32()),
    }


MICROLENSING = ClassifierDefinition(
    field=FIELD,
    taxonomy=("microlensing", "other"),
    features=NAMES,
    abstentions=abstentions,
    rows=rows,
    more=more,
)
