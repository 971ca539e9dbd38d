"""Surveys whose packets can be simulated: one file per survey, registered in ``WRITERS``."""

from __future__ import annotations

from collections.abc import Callable

from services.simulate.population import Night
from services.simulate.surveys.base import PacketWriter
from services.simulate.surveys.lsst import LsstWriter
from services.simulate.surveys.ztf import ZtfWriter

WRITERS: dict[str, Callable[[Night], PacketWriter]] = {"ztf": ZtfWriter, "lsst": LsstWriter}
"""By registry name of the survey."""
