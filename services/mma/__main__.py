"""``python -m services.mma``: the worker."""

from __future__ import annotations

from services.mma.agent import SERVICE, create_app
from services.mma.settings import MmaSettings
from shared.kafka import app as kafka
from shared.telemetry.logs import configure_logs


def main() -> None:
    """Run the worker with settings from the environment."""
    settings = MmaSettings()
    configure_logs(SERVICE, settings.log_level)
    kafka.run(create_app(settings), settings)


if __name__ == "__main__":
    main()
