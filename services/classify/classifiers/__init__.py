"""The registry of classifiers: literal tuples.

To add one, write its file, add its column to ``shared.schemas.classification.VERDICTS`` and its
name here; one that asks a model needs a recipe in ``training/recipes.py`` too.
"""

from __future__ import annotations

from pathlib import Path

from services.classify.classifiers.anomaly import Anomaly
from services.classify.classifiers.base import Classifier, ClassifierDefinition, ModelClassifier
from services.classify.classifiers.early_sn_ia import EARLY_SN_IA
from services.classify.classifiers.kilonova import KILONOVA
from services.classify.classifiers.microlensing import MICROLENSING
from services.classify.classifiers.rate import Rate
from services.classify.classifiers.real_bogus import RealBogus
from services.classify.classifiers.transient import TRANSIENT
from services.classify.features import VERSION
from services.classify.model import load_model
from services.classify.model_registry import ModelShelf
from shared.registry import registry

CLASSIFIERS: dict[str, ClassifierDefinition] = registry(
    (EARLY_SN_IA, TRANSIENT, KILONOVA, MICROLENSING)
)
"""Those that ask trees for the probability of a class."""

TRAINED: tuple[str, ...] = (*CLASSIFIERS, Anomaly.name)
"""All that need a model, and so have a shelf of models."""

MODELS = Path(__file__).parent.parent / "models"
"""The models that come with the code."""


def load_classifier(name: str, folder: Path) -> ModelClassifier:
    """One classifier with the model in ``folder``; raises ``ValueError`` if it does not fit."""
    definition, model = CLASSIFIERS[name], load_model(folder, VERSION)
    if model.classes != definition.taxonomy or not set(model.features) <= set(definition.features):
        raise ValueError(f"{folder} is no model of {name}: its classes or features differ")
    return ModelClassifier(definition, model)


def load_classifiers(models: Path = MODELS) -> tuple[Classifier, ...]:
    """All classifiers with their promoted models, in the order of the columns.

    Raises
    ------
    ValueError, OSError
        If a model is missing or unfit.
    """
    return (
        *(load_classifier(n, ModelShelf(models, n).current()) for n in CLASSIFIERS),
        Rate(),
        RealBogus(),
        Anomaly(load_model(ModelShelf(models, Anomaly.name).current(), VERSION)),
    )
