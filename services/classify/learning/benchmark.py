"""Common models on static features, and the same models on the same data as a stream.

Of every stream a part is a hold-out over all of its time, by a hash of the object and the seed; it
is never learnt. The rest is played in order: in chunks, by single examples, with a label delay.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from services.classify.learning.models import MODELS
from services.classify.learning.models.base import Labels, Probabilities, StreamModel
from services.classify.learning.models.refitted import boosted, forest
from services.classify.learning.prequential import run
from services.classify.learning.splits import stable_fractions
from services.classify.learning.streams.base import LabelledStream

HOLD_OUT = 0.25
LATE_SHARE = 0.25
"""The last part of a stream, judged by itself."""
WAYS = {"batch": (250, 0), "delayed": (250, 2_000), "example": (1, 0)}
"""Chunk and label delay in examples; smaller streams have smaller ones (``way_of``)."""
SMALL = 3_000
"""Below so many objects a stream is played a second time, whole, for the prequential numbers."""
WARM_UP = 0.1
"""Share of a stream that is learnt before answers count."""
_SLOW = {"adaptive forest (river)"}


@dataclass(frozen=True, slots=True)
class Score:
    """One model, played one way."""

    stream: str
    model: str
    way: str
    seed: int
    accuracy: float
    """Prequential; of a static model on its hold-out only, NaN."""
    macro_f1: float
    late_accuracy: float
    hold_out_accuracy: float
    hold_out_macro_f1: float
    hold_out_log_loss: float
    sn_ia_efficiency: float
    """Of class 0 on the hold-out."""
    sn_ia_purity: float
    learning_ms: float
    """CPU per object that was learnt, one thread."""
    answering_ms: float


def way_of(name: str, objects: int) -> tuple[int, int]:
    """Chunk and delay for a stream of so many objects."""
    chunk, delay = WAYS[name]
    return max(min(chunk, objects // 40), 1), min(delay, objects // 8)


def split(stream: LabelledStream, seed: int) -> tuple[LabelledStream, LabelledStream]:
    """What is played, and the hold-out."""
    is_out = stable_fractions(f"stream:{seed}", stream.object_id) < HOLD_OUT
    return stream.of(~is_out), stream.of(is_out)


def stream_score(stream: LabelledStream, name: str, way: str, seed: int) -> Score:
    """Play a stream to a model, then ask it about the hold-out."""
    played, held = split(stream, seed)
    chunk, delay = way_of(way, len(played))
    model = made(name, played, seed)
    result = run(model, played, chunk=chunk, delay=delay)
    learning_s, answering_s = result.learning_s, result.answering_s
    taught = played
    if len(stream) < SMALL:
        played = stream
        result = run(made(name, stream, seed), stream, chunk=chunk, delay=delay)
    is_judged = result.is_judged & (np.arange(len(played)) >= WARM_UP * len(played))
    label, said = played.label[is_judged], result.probabilities[is_judged]
    best = said.argmax(axis=1)
    late = slice(int(len(label) * (1 - LATE_SHARE)), None)
    return Score(
        stream.name, name, way, seed,
        float((best == label).mean()),
        _macro_f1(label, best),
        float((best[late] == label[late]).mean()),
        *held_scores(held.label, model.probabilities(held.rows)),
        1e3 * learning_s / len(taught),
        1e3 * answering_s / len(taught),
    )  # fmt: skip


def made(name: str, stream: LabelledStream, seed: int) -> StreamModel:
    """A new model for a stream."""
    return MODELS[name](stream.rows.shape[1], len(stream.classes), seed, len(stream))


def static_score(stream: LabelledStream, name: str, seed: int) -> Score:
    """The same split without time: fit on all that is played, ask about the hold-out."""
    played, held = split(stream, seed)
    begin = time.process_time()
    answer = {"trees": boosted, "forest": forest}[name](
        played.rows, played.label, len(stream.classes), seed
    )
    learning_s = time.process_time() - begin
    begin = time.process_time()
    found = answer(held.rows)
    answering_s = time.process_time() - begin
    nan = float("nan")
    return Score(
        stream.name, name, "static", seed, nan, nan, nan, *held_scores(held.label, found),
        1e3 * learning_s / len(played), 1e3 * answering_s / max(len(held), 1),
    )  # fmt: skip


def _macro_f1(label: Labels, best: Labels) -> float:
    return float(f1_score(label, best, labels=np.unique(label), average="macro", zero_division=0))


def held_scores(label: Labels, found: Probabilities) -> tuple[float, float, float, float, float]:
    """Accuracy, macro-F1, log-loss, and efficiency and purity of class 0, of a hold-out."""
    best = found.argmax(axis=1)
    own = np.clip(found[np.arange(len(label)), label], 1e-9, 1.0)
    hits = float(((best == 0) & (label == 0)).sum())
    return (
        float((best == label).mean()),
        _macro_f1(label, best),
        float(-np.log(own).mean()),
        hits / max(float((label == 0).sum()), 1.0),
        hits / max(float((best == 0).sum()), 1.0),
    )


def benchmark(
    stream: LabelledStream, models: Sequence[str], ways: Sequence[str], seed: int
) -> list[Score]:
    """All models, all ways; example by example only those that can be in reasonable time."""
    found = [static_score(stream, name, seed) for name in ("trees", "forest")]
    for way in ways:
        for name in models:
            if way == "example" and (name in _SLOW or "refitted" in name or "rolling" in name):
                continue
            found.append(stream_score(stream, name, way, seed))
    return found


def means(scores: Sequence[Score]) -> list[dict[str, object]]:
    """One row for each stream, way and model: means over seeds."""
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for one in scores:
        groups.setdefault((one.stream, one.way, one.model), []).append(one)
    rows: list[dict[str, object]] = []
    for (stream, way, model), own in groups.items():
        columns: dict[str, npt.NDArray[np.float64]] = {
            name: np.array([getattr(s, name) for s in own]) for name in asdict(own[0])
            if name not in {"stream", "way", "model", "seed"}
        }  # fmt: skip
        row: dict[str, object] = {"stream": stream, "way": way, "model": model, "seeds": len(own)}
        rows.append(row | {name: round(float(v.mean()), 4) for name, v in columns.items()})
    return rows


__all__ = ["Score", "benchmark", "held_scores", "means", "static_score", "stream_score"]
