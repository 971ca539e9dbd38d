"""What the worker of votes must be told."""

from __future__ import annotations

from pydantic import Field

from services.classify.settings import ClassifySettings


class LearningSettings(ClassifySettings):
    """Settings of ``python -m services.classify.learning``."""

    learning_reference_alerts: int = Field(
        2_000, ge=300, le=100_000, title="Alerts that the shared trees are grown on"
    )
    learning_objects: int = Field(
        50_000, ge=1_000, le=1_000_000, title="Objects that users' lists are made of"
    )
    learning_list_length: int = Field(50, ge=1, le=500, title="Objects on a user's list")
    learning_publish_s: float = Field(
        1.0, gt=0, le=60, title="How often changed lists are written, seconds"
    )
    learning_recall_s: float = Field(
        60.0, ge=0, le=600, title="Longest that alerts from before a restart are read, seconds"
    )
