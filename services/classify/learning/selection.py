"""Selection functions: what share of simulated objects gets through, by what they are.

Simulated transients (``tocsin simulate --truth``) go down the river beside the real ones, flagged.
For each stage the share of them that came so far is its efficiency; binned by the truth it is
what a rate or a luminosity function must be divided by.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Injected:
    """What was put in, shape (n,) each."""

    object_id: npt.NDArray[np.str_]
    class_name: npt.NDArray[np.str_]
    magnitude: npt.NDArray[np.float64]
    """AB, brightest alert; NaN if it has none."""
    host_offset_arcsec: npt.NDArray[np.float64]
    """NaN without a host."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """A stage's efficiency in one bin."""

    stage: str
    bin_name: str
    injected: int
    passed: int
    low: float
    """68.3 % interval (Wilson 1927), which needs no pass and no failure to be right."""
    high: float

    @property
    def efficiency(self) -> float:
        """Share that passed; NaN of none."""
        return self.passed / self.injected if self.injected else float("nan")


def wilson(passed: int, total: int, z: float = 1.0) -> tuple[float, float]:
    """Interval of a share, ``z`` standard deviations wide either way."""
    if total == 0:
        return 0.0, 1.0
    p = passed / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(p * (1 - p) / total + z * z / (4 * total**2))
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def efficiencies(
    injected: Injected,
    passed: Mapping[str, Set[str]],
    by: str,
    edges: Sequence[float] = (),
) -> list[Efficiency]:
    """Efficiency of every stage in every bin.

    Parameters
    ----------
    injected
        What was put in.
    passed
        By stage, the names of the objects that came so far.
    by
        ``class_name``, ``magnitude`` or ``host_offset_arcsec``.
    edges
        Of the bins, ascending, for a number; objects outside, or without it, are in none.
    """
    values = getattr(injected, by)
    if by == "class_name":
        bins = [(str(name), values == name) for name in np.unique(values).tolist()]
    else:
        bins = [
            (f"{low:g} to {high:g}", (values >= low) & (values < high))
            for low, high in itertools.pairwise(edges)
        ]
    found = []
    for stage, names in passed.items():
        came = np.isin(injected.object_id, list(names))
        for bin_name, inside in bins:
            total, through = int(inside.sum()), int((inside & came).sum())
            found.append(Efficiency(stage, bin_name, total, through, *wilson(through, total)))
    return found
