"""The registry of labelled streams: past seasons, played again in order of time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.classify.learning.streams.base import LabelledStream
from services.classify.learning.streams.osc import osc_stream
from services.classify.learning.streams.snpcc import snpcc_stream
from services.classify.learning.streams.ztf_laiss import ztf_laiss_stream

STREAMS: dict[str, Callable[[Path], LabelledStream]] = {
    "snpcc": snpcc_stream,
    "osc": osc_stream,
    "ztf_laiss": ztf_laiss_stream,
}
