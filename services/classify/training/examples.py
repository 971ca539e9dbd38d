"""Examples: rows of features with the truth beside them, and which are kept apart."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.features import NAMES, features_of
from services.classify.features.paczynski import NAMES as LENS_NAMES
from services.classify.features.paczynski import paczynski_features
from services.classify.training.datasets.base import LabelledLightCurves, Surroundings, Truth
from services.classify.training.looks import Look, look_at

HOLD_OUT_FRACTION = 0.2


@dataclass(frozen=True, slots=True)
class Examples:
    """Looks at the objects of one or more data sets."""

    rows: npt.NDArray[np.float32]
    """Shape (n, features), NaN is missing."""
    label: npt.NDArray[np.int16]
    """Shape (n,): index into the taxonomy."""
    weight: npt.NDArray[np.float64]
    """Shape (n,): of the data set and the look."""
    object_index: npt.NDArray[np.int64]
    """Shape (n,): row of the data set."""
    source: npt.NDArray[np.str_]
    """Shape (n,): data set and look, ``plasticc:whole``."""
    is_held_out: npt.NDArray[np.bool_]
    """By object: no object is on both sides."""

    def where(self, keep: npt.NDArray[np.bool_]) -> Examples:
        """The examples for which ``keep`` is true."""
        return Examples(*(getattr(self, name)[keep] for name in self.__slots__))

    @staticmethod
    def joined(parts: Sequence[Examples]) -> Examples:
        """All examples of several sets."""
        columns = (np.concatenate([getattr(p, n) for p in parts]) for n in Examples.__slots__)
        return Examples(*columns)


def is_held_out(
    name: str, object_id: npt.NDArray[np.str_], fraction: float = HOLD_OUT_FRACTION
) -> npt.NDArray[np.bool_]:
    """Whether an object is for judging only: by a hash of its name, so it never changes."""
    return np.asarray(hash_fractions(name, object_id) < fraction)


def hash_fractions(salt: str, object_id: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each object that depends on its name and ``salt`` alone."""
    hashes = [zlib.crc32(f"{salt}:{one}".encode()) for one in object_id.tolist()]
    return np.array(hashes, dtype=np.float64) / 2**32


def examples_of(
    dataset: LabelledLightCurves,
    looks: Mapping[str, float],
    taxonomy: Sequence[str],
    features: Sequence[str],
    *,
    seed: int,
    host_share: float = 0.4,
    copies: int = 1,
    rare_copies: Mapping[str, int] = MappingProxyType({}),
) -> Examples:
    """Looks at every object of ``dataset`` whose class is in the taxonomy.

    Parameters
    ----------
    dataset
        Its truth gives the labels, and nothing else here.
    looks
        Weight of each look; an object in three looks is three examples.
    taxonomy, features
        Class names and feature names, in order.
    seed
        Of noise, cuts and of which looks know the host.
    host_share
        Share of looks in which the host's redshift is known, if the set gives one.
    copies
        How often a look that has chance in it is taken, each time otherwise; the weight is shared.
    rare_copies
        By class: how often for its objects. The copies more are weight more.
    """
    classes = list(taxonomy)
    label_of = {name: k for k, name in enumerate(classes)}
    labels = np.array([label_of.get(name, -1) for name in dataset.truth.class_name.tolist()])
    held = is_held_out(dataset.name, dataset.truth.object_id)
    often = np.array([rare_copies.get(name, copies) for name in dataset.truth.class_name.tolist()])
    parts = []
    for number, copy, name in _takes(looks, int(often.max(initial=copies))):
        weight = looks[name] / (1 if name == "whole" else copies)
        rng = np.random.default_rng([seed, number, zlib.crc32(dataset.name.encode()), copy])
        wanted = np.flatnonzero(often > copy)
        look = look_at(_some(dataset, wanted) if copy else dataset, name, rng)
        index = wanted[look.object_index] if copy else look.object_index
        look = Look(look.curves, index, look.redshift_factor)
        rows = rows_of(look, dataset.surroundings, features, host_share, rng)
        keep = labels[index] >= 0
        parts.append(
            Examples(
                rows=np.ascontiguousarray(rows[keep]),
                label=labels[index][keep].astype(np.int16),
                weight=np.full(int(keep.sum()), weight),
                object_index=index[keep],
                source=np.full(int(keep.sum()), f"{dataset.name}:{name}"),
                is_held_out=held[index][keep],
            )
        )
    return Examples.joined(parts)


def _takes(looks: Mapping[str, float], copies: int) -> list[tuple[int, int, str]]:
    """Number of the look, number of the copy, name; what has no chance in it is taken once."""
    return [
        (number, copy, name)
        for number, name in enumerate(looks)
        for copy in range(1 if name == "whole" else copies)
    ]


def _some(dataset: LabelledLightCurves, rows: npt.NDArray[np.int64]) -> LabelledLightCurves:
    truth = Truth(*(getattr(dataset.truth, name)[rows] for name in Truth.__slots__))
    curves, around = dataset.curves.curves(rows), dataset.surroundings.of(rows)
    return LabelledLightCurves(dataset.name, curves, truth, around)


def rows_of(
    look: Look,
    surroundings: Surroundings,
    features: Sequence[str],
    host_share: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """The named features of a look, shape (n, len(features)): of the registry, or of the lens."""
    if set(features) <= set(LENS_NAMES):
        lens, _ = paczynski_features(look.curves)
        return np.ascontiguousarray(lens[[LENS_NAMES.index(name) for name in features]].T)
    around = surroundings.of(look.object_index)
    redshift = (1.0 + around.host_redshift) * look.redshift_factor - 1.0
    redshift[~(redshift > 1e-3)] = np.nan
    redshift[rng.random(len(redshift)) >= host_share] = np.nan
    found = features_of(look.curves, around.galactic_latitude_deg, redshift)
    return np.ascontiguousarray(found.values[[NAMES.index(name) for name in features]].T)


def counts(examples: Examples, taxonomy: Sequence[str]) -> dict[str, Any]:
    """How many examples of each class, by source, for the model card."""
    return {
        str(source): {
            taxonomy[k]: int(n)
            for k, n in enumerate(
                np.bincount(examples.label[examples.source == source], minlength=len(taxonomy))
            )
            if n
        }
        for source in np.unique(examples.source)
    }
