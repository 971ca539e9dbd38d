"""What a sample of supernovae Ia chosen by a classifier is worth for cosmology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FALSE_POSITIVE_WEIGHT = 3.0
"""How many true Ia a wrong one costs (Kessler et al. 2010, arXiv:1008.1024)."""


@dataclass(frozen=True, slots=True)
class Merit:
    """How good a selection of Ia is."""

    accuracy: float
    efficiency: float
    """Share of all Ia that were chosen."""
    purity: float
    """Share of the chosen that are Ia."""
    figure_of_merit: float
    """Efficiency times a purity in which a wrong one counts three times."""


def merit(probability: npt.NDArray[np.float64], is_sn_ia: npt.NDArray[np.bool_]) -> Merit:
    """Judge the selection ``probability > 0.5``, shape (n,) each."""
    chosen = probability > 0.5
    true = float((chosen & is_sn_ia).sum())
    false = float((chosen & ~is_sn_ia).sum())
    efficiency = true / max(float(is_sn_ia.sum()), 1.0)
    return Merit(
        accuracy=float((chosen == is_sn_ia).mean()),
        efficiency=efficiency,
        purity=true / max(true + false, 1.0),
        figure_of_merit=efficiency * true / max(true + FALSE_POSITIVE_WEIGHT * false, 1.0),
    )
