"""The surveys whose packets Tocsin reads. To add one: its file, a line here, a sample."""

from services.ingest.surveys.base import Survey
from services.ingest.surveys.lsst import LSST
from services.ingest.surveys.ztf import ZTF
from shared.registry import registry

SURVEYS: dict[str, Survey] = registry((ZTF, LSST))
"""By name; a schema is offered to each in this order."""
