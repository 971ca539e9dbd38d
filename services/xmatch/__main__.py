"""``python -m services.xmatch``: the worker."""

from __future__ import annotations

from services.xmatch.agent import SERVICE, create_app
from services.xmatch.settings import XmatchSettings
from shared.kafka import app as kafka
from shared.telemetry.logs import configure_logs


def main() -> None:
    """Run the worker with settings from the environment."""
    settings = XmatchSettings()
    configure_logs(SERVICE, settings.log_level)
    kafka.run(create_app(settings), settings)


if __name__ == "__main__":
    main()
