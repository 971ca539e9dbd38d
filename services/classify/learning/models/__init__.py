"""The registry of models that are compared on streams."""

from __future__ import annotations

from collections.abc import Callable

from services.classify.learning.models.adain import Adain
from services.classify.learning.models.base import StreamModel
from services.classify.learning.models.linear import Linear
from services.classify.learning.models.perceptron import Perceptron, PerceptronOptions
from services.classify.learning.models.refitted import Refitted, RollingForest, boosted, forest
from services.classify.learning.models.river_forest import RiverForest

MakeModel = Callable[[int, int, int, int], StreamModel]
"""From the numbers of features and classes, a seed, and how many objects may come."""

_FORGETFUL = PerceptronOptions(members=1, capacity=0, passes=1)


def _chunk(objects: int) -> int:
    """Examples that are fitted together: 250, fewer of a short stream."""
    return max(min(250, objects // 12), 10)


MODELS: dict[str, MakeModel] = {
    "static trees": lambda f, c, s, n: Refitted(f, c, s, boosted, None, min(1_000, n // 5)),
    "trees, refitted": lambda f, c, s, n: Refitted(f, c, s, boosted, min(2_000, n)),
    "forest, refitted": lambda f, c, s, n: Refitted(f, c, s, forest, min(2_000, n)),
    "perceptron + replay": lambda f, c, s, _: Perceptron(f, c, s),
    "perceptron": lambda f, c, s, _: Perceptron(f, c, s, _FORGETFUL),
    "rolling forest": lambda f, c, s, n: RollingForest(f, c, s, chunk=_chunk(n)),
    "logistic": lambda f, c, s, _: Linear(f, c, s),
    "kernel logistic": lambda f, c, s, _: Linear(f, c, s, components=500),
    "ADAIN": lambda f, c, s, n: Adain(f, c, s, chunk=_chunk(n)),
    "adaptive forest (river)": lambda f, c, s, _: RiverForest(f, c, s),
}
"""By the name in tables. ``static trees`` are fitted once, on the first thousand."""
INCREMENTAL, BATCH = "perceptron + replay", "trees, refitted"
"""What is deployed as challenger, and what it is compared with."""
