"""``python -m services.portal``: the portal."""

from __future__ import annotations

from services.portal.app import create_app
from services.portal.serving import server_of
from services.portal.settings import PortalSettings
from shared.telemetry.logs import configure_logs


def main() -> None:
    """Serve with settings from the environment until SIGTERM."""
    settings = PortalSettings()
    configure_logs("portal", settings.log_level)
    server_of(create_app(settings), settings).run()


if __name__ == "__main__":
    main()
