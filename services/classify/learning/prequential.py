"""Prequential judging: every example is a question first, and a lesson when its label arrives.

Gama, Sebastiao & Rodrigues 2013 (Machine Learning 90, 317). The answer is frozen when the example
comes; its label comes ``delay`` examples later, as spectra do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.learning.models.base import Probabilities, StreamModel
from services.classify.learning.streams.base import LabelledStream


@dataclass(frozen=True, slots=True)
class Run:
    """What a model answered, and what it cost."""

    probabilities: Probabilities
    """Shape (n, classes), frozen when the example came."""
    is_judged: npt.NDArray[np.bool_]
    """Shape (n,): false of the first chunk, which nobody can know."""
    learning_s: float
    """CPU seconds of learning; with one thread."""
    answering_s: float


def run(model: StreamModel, stream: LabelledStream, *, chunk: int = 250, delay: int = 0) -> Run:
    """Play a stream to a model.

    Parameters
    ----------
    model
        Learns in place.
    stream
        In order of time.
    chunk
        Examples that come together; 1 plays example by example.
    delay
        Examples between one's coming and its label's; 0 is at the end of its own chunk.
    """
    n = len(stream)
    found = np.zeros((n, len(stream.classes)))
    taught, learning_s, answering_s = 0, 0.0, 0.0
    first = 0
    for start in range(0, n, chunk):
        end = min(start + chunk, n)
        begin = time.process_time()
        found[start:end] = model.probabilities(stream.rows[start:end])
        answering_s += time.process_time() - begin
        if taught == 0:
            first = end
        until = max(end - delay, taught) if end < n else end
        if until > taught:
            begin = time.process_time()
            model.learn(stream.rows[taught:until], stream.label[taught:until])
            learning_s += time.process_time() - begin
            taught = until
    return Run(found, np.arange(n) >= first, learning_s, answering_s)
