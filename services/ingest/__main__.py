"""``python -m services.ingest``: the worker."""

from __future__ import annotations

from services.ingest.agent import create_app
from services.ingest.settings import IngestSettings
from shared.kafka.app import run


def main() -> None:
    """Read the settings and run until told to stop."""
    settings = IngestSettings()
    run(create_app(settings), settings)


if __name__ == "__main__":
    main()
