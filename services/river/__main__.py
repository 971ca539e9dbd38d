"""``python -m services.river``: the worker."""

from __future__ import annotations

from services.archive.settings import ArchiveSettings
from services.classify.settings import ClassifySettings
from services.ingest.settings import IngestSettings
from services.mma.settings import MmaSettings
from services.river.agent import create_app
from services.xmatch.settings import XmatchSettings
from shared.kafka.app import run


def main() -> None:
    """Read the settings of all four, run until told to stop."""
    settings = IngestSettings()
    app = create_app(
        settings, XmatchSettings(), ClassifySettings(), MmaSettings(), ArchiveSettings()
    )
    run(app, settings)


if __name__ == "__main__":
    main()
