"""``python -m services.distribute``: the worker."""

from __future__ import annotations

from services.distribute.agent import create_app
from services.distribute.settings import DistributeSettings
from shared.kafka import app as kafka


def main() -> None:
    """Run the worker with settings from the environment."""
    settings = DistributeSettings()
    kafka.run(create_app(settings), settings)


if __name__ == "__main__":
    main()
