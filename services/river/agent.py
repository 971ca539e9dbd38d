"""Puts the stages of the river side by side: ingest leads, the others take what it hands on."""

from __future__ import annotations

from services.archive.keep_packets import create_packets_app
from services.archive.settings import ArchiveSettings
from services.classify.agent import create_app as create_classify
from services.classify.settings import ClassifySettings
from services.ingest.agent import create_app as create_ingest
from services.ingest.settings import IngestSettings
from services.mma.agent import create_app as create_mma
from services.mma.settings import MmaSettings
from services.xmatch.agent import create_app as create_xmatch
from services.xmatch.settings import XmatchSettings
from shared.kafka import app as kafka


def create_app(
    ingest: IngestSettings,
    xmatch: XmatchSettings,
    classify: ClassifySettings,
    mma: MmaSettings,
    archive: ArchiveSettings,
) -> kafka.ServiceApp:
    """Make the application of ingest, and the others beside it.

    It reads the survey's topics in ingest's consumer group, so that a site may change between
    one process and four (once what is between the four has been worked off). Where the archive
    keeps packets they are kept here, from the same takes: each is fetched once.
    """
    app = create_ingest(ingest)
    create_xmatch(xmatch, beside=app)
    create_classify(classify, beside=app)
    create_mma(mma, beside=app)
    if archive.archive_keep_packets:
        create_packets_app(archive, beside=app)
    return app
