"""The Open Supernova Catalog as a stream: real Ia, II and Ibc of 2010 to 2014, by discovery."""

from __future__ import annotations

from pathlib import Path

from services.classify.learning.streams.base import LabelledStream, stream_of
from services.classify.learning.streams.snpcc import CLASSES
from services.classify.training.datasets.osc import load


def osc_stream(data: Path) -> LabelledStream:
    """Read the stream from the data folder; the first point stands for the discovery."""
    dataset = load(data)
    starts = dataset.curves.offsets[:-1]
    first = dataset.curves.mjd_tai[starts]
    return stream_of(dataset, {name: name for name in CLASSES}, CLASSES, first)
