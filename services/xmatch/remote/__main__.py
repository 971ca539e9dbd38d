"""``python -m services.xmatch.remote``: the worker."""

from __future__ import annotations

import sys

from services.xmatch.remote import chosen_tables
from services.xmatch.remote.agent import SERVICE, create_app
from services.xmatch.remote.settings import RemoteSettings
from shared.kafka import app as kafka
from shared.telemetry.logs import configure_logs


def main() -> int:
    """Run the worker with settings from the environment; 2 if it may not call out."""
    settings = RemoteSettings()
    if not settings.remote_enabled:
        print(
            "services elsewhere are not asked unless TOCSIN_REMOTE_ENABLED=true (docs/remote.md)",
            file=sys.stderr,
        )
        return 2
    try:
        chosen_tables(settings.remote_tables)
        settings.urls()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    configure_logs(SERVICE, settings.log_level)
    kafka.run(create_app(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
