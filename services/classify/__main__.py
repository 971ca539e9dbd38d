"""``python -m services.classify``: the worker."""

from __future__ import annotations

from services.classify.agent import create_app
from services.classify.settings import ClassifySettings
from shared.kafka.app import run


def main() -> None:
    """Read the settings, run until told to stop."""
    settings = ClassifySettings()
    run(create_app(settings), settings)


if __name__ == "__main__":
    main()
