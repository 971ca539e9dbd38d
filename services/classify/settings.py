"""What the classify service must be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.classify.classifiers import MODELS
from shared.settings import ServiceSettings


class ClassifySettings(ServiceSettings):
    """Settings of classify."""

    classify_models: Path = Field(
        MODELS,
        title="Folder of models",
        description="One folder per classifier, as `tocsin models train` writes them",
    )
    classify_facilities: Path | None = Field(
        None,
        title="Facilities that target lists are made for, a TOML file",
        description="None: the example that comes with the code",
    )
