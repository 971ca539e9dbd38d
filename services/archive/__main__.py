"""``python -m services.archive``: the worker."""

from __future__ import annotations

from services.archive.agent import create_app
from services.archive.settings import ArchiveSettings
from shared.kafka.app import run


def main() -> None:
    """Read the settings and run until told to stop."""
    settings = ArchiveSettings()
    run(create_app(settings), settings)


if __name__ == "__main__":
    main()
