"""``python -m services.classify.learning``: the worker of votes."""

from __future__ import annotations

from services.classify.learning.agent import SERVICE, create_app
from services.classify.learning.settings import LearningSettings
from shared.kafka import app as kafka
from shared.telemetry.logs import configure_logs

if __name__ == "__main__":
    settings = LearningSettings()
    configure_logs(SERVICE, settings.log_level)
    kafka.run(create_app(settings), settings)
