"""The registry of classifiers: a literal tuple.

To add one, write its file, add its column to ``shared.schemas.classification.VERDICTS`` and its
name here, and train its model.
"""

from __future__ import annotations

from pathlib import Path

from services.classify.boosted_trees import load_model
from services.classify.classifiers.base import Classifier, ClassifierDefinition, model_folder
from services.classify.classifiers.early_sn_ia import EARLY_SN_IA
from services.classify.features import VERSION
from shared.registry import registry

CLASSIFIERS: dict[str, ClassifierDefinition] = registry((EARLY_SN_IA,))

MODELS = Path(__file__).parent.parent / "models"
"""The models that come with the code."""


def load_classifiers(models: Path = MODELS) -> tuple[Classifier, ...]:
    """All classifiers with their models; raises ``ValueError`` or ``OSError`` if one is unfit."""
    return tuple(
        Classifier(definition, load_model(model_folder(models, definition.name), VERSION))
        for definition in CLASSIFIERS.values()
    )
