"""SNPCC as a stream: Ia, II and Ibc, in order of their brightest point."""

from __future__ import annotations

from pathlib import Path

from services.classify.learning.streams.base import (
    LabelledStream,
    brightest_time_days,
    stream_of,
)
from services.classify.training.datasets.snpcc import load

CLASSES = ("SN Ia", "SN II", "SN Ibc")
CLASS_OF = {
    "SN Ia": "SN Ia",
    **dict.fromkeys(("SN II", "SN IIn", "SN IIL", "SN IIP"), "SN II"),
    **dict.fromkeys(("SN Ib", "SN Ic", "SN Ibc"), "SN Ibc"),
}


def snpcc_stream(data: Path) -> LabelledStream:
    """Read the stream from the data folder."""
    dataset = load(data)
    return stream_of(dataset, CLASS_OF, CLASSES, brightest_time_days(dataset))
