"""The rows of the table: each a function of a seed that gives named numbers."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from services.classify.learning.active.nights import Nights, play_nights
from services.classify.learning.active.pool import Pool, snpcc_pool
from services.classify.learning.active.season import Season, at, play
from services.classify.learning.anomalies.forest import SharedForest
from services.classify.learning.anomalies.questions import Session, anomaly_rows, ask
from services.classify.learning.benchmark import stream_score
from services.classify.learning.models import BATCH, INCREMENTAL
from services.classify.learning.streams import STREAMS
from services.classify.learning.streams.base import LabelledStream
from services.classify.learning.targets.bias import bias_metrics
from services.classify.learning.targets.candidates import Candidates
from services.classify.learning.targets.facilities import read_facilities
from services.classify.learning.targets.make import make_lists
from services.classify.training.datasets import DATASETS

DATA = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
Numbers = dict[str, float]
RARE = ("kilonova", "Mira", "microlensing", "SLSN-I")
OSC_RARE = ("SLSN-I", "SN Ia-91bg", "SN Iax", "cataclysmic variable", "other", "TDE")


@cache
def pool() -> Pool:
    return snpcc_pool(DATA)


@cache
def stream(name: str) -> LabelledStream:
    return STREAMS[name](DATA)


def active_learning(seed: int) -> Numbers:
    """SNPCC from the spectroscopic sample: uncertainty against random."""
    active, random = (
        play(pool(), Season(strategy=name, seed=seed)) for name in ("uncertainty", "random")
    )
    found = {
        "fom_1000": at(active, 1_000).merit.figure_of_merit,
        "purity_1000": at(active, 1_000).merit.purity,
    }
    for n in (300, 1_000):
        gain = at(active, n).merit.figure_of_merit - at(random, n).merit.figure_of_merit
        found[f"minus_random_{n}"] = gain
    return found


def from_ten(seed: int) -> Numbers:
    """SNPCC from ten objects, 300 queries."""
    points = play(pool(), Season(start="ten", queries=300, seed=seed))
    return {"fom_300": points[-1].merit.figure_of_merit}


def nights(seed: int) -> Numbers:
    """Night by night with a budget of exposure: the loop against bright-first follow-up."""
    last = {
        way: play_nights(pool(), Nights(way=way, seed=seed, judge_nights=1_000))[-1]
        for way in ("active", "bright-first")
    }
    foms = {way: float(str(row["figure_of_merit"])) for way, row in last.items()}
    hours = {way: float(str(row["exposure_h"])) for way, row in last.items()}
    return {
        "fom_active": foms["active"],
        "fom_bright_first": foms["bright-first"],
        "ratio": foms["active"] / foms["bright-first"],
        "exposure_ratio": hours["active"] / hours["bright-first"],
    }


def nights_equal(seed: int) -> Numbers:
    """The same, the loop stopped when it has spent what bright-first follow-up spent in all."""
    first = play_nights(pool(), Nights(way="bright-first", seed=seed, judge_nights=1_000))[-1]
    total_h = float(str(first["exposure_h"]))
    found = {"fom_bright_first": float(str(first["figure_of_merit"])), "exposure_h": total_h}
    for way in ("active", "random"):
        one = Nights(way=way, seed=seed, judge_nights=1_000, total_h=total_h)
        last = play_nights(pool(), one)[-1]
        fom = float(str(last["figure_of_merit"]))
        found |= {f"fom_{way}": fom, f"ratio_{way}": fom / found["fom_bright_first"]}
    return found


def incremental(seed: int) -> Numbers:
    """SNPCC as a stream: the incremental model against refitted trees."""
    one, other = (
        stream_score(stream("snpcc"), name, "batch", seed) for name in (INCREMENTAL, BATCH)
    )
    return {
        "prequential": one.accuracy,
        "minus_batch": one.accuracy - other.accuracy,
        "hold_out": one.hold_out_accuracy,
        "hold_out_batch": other.hold_out_accuracy,
        "cpu_ratio": other.learning_ms / one.learning_ms,
    }


def real_ztf(seed: int) -> Numbers:
    """Real ZTF objects (LAISS): prequential macro-F1."""
    one, other = (
        stream_score(stream("ztf_laiss"), name, "batch", seed) for name in (INCREMENTAL, BATCH)
    )
    return {"incremental_f1": one.macro_f1, "batch_f1": other.macro_f1}


@cache
def _anomalies(name: str) -> tuple[Any, Any]:
    dataset = DATASETS[name].load(DATA)
    rows, _ = anomaly_rows(dataset)
    return rows, dataset.truth.class_name


def _session(name: str, rare: tuple[str, ...], questions: int, seed: int) -> Session:
    rows, kinds = _anomalies(name)
    return ask(SharedForest(rows, seed), rows, np.isin(kinds, rare), questions)


def plasticc_anomalies(seed: int) -> Numbers:
    """PLAsTiCC: rare objects in 200 questions, against a forest that nobody taught."""
    session = _session("plasticc", RARE, 200, seed)
    found, static = float(session.found[-1]), float(session.static[-1])
    return {"found_200": found, "static_200": static, "ratio": found / max(static, 1.0)}


def osc_anomalies(seed: int) -> Numbers:
    """OSC: rare types in the first 2 % of the questions."""
    rows, _ = _anomalies("osc")
    questions = round(0.02 * len(rows))
    session = _session("osc", OSC_RARE, questions, seed)
    found, static = float(session.found[-1]), float(session.static[-1])
    return {
        "questions": questions,
        "found": found,
        "static": static,
        "ratio": found / max(static, 1),
    }


def two_users(seed: int) -> Numbers:
    """One stream, two interests: each user's finds, and how much of their top 50 is shared."""
    rows, kinds = _anomalies("plasticc")
    forest = SharedForest(rows, seed)
    sessions, tops = {}, {}
    for rare in ("SLSN-I", "microlensing"):
        is_rare = kinds == rare
        prior = np.flatnonzero(is_rare)[:5].tolist()  # known examples, given beforehand
        sessions[rare] = ask(forest, rows, is_rare, 200, prior=prior)
        tops[rare] = set(np.argsort(-sessions[rare].scores)[:50].tolist())
    one, other = tops.values()
    found = {f"{k} found": float(s.found[-1]) for k, s in sessions.items()}
    found |= {f"{k} static": float(s.static[-1]) for k, s in sessions.items()}
    ratios = [s.found[-1] / max(s.static[-1], 1) for s in sessions.values()]
    return {**found, "least_ratio": float(min(ratios)), "overlap_top_50": len(one & other) / 50.0}


def target_lists(seed: int) -> Numbers:
    """Lists of ten made-up nights: random share, overlap, violations."""
    totals = np.zeros(4)
    for night in range(10):
        own = _made_up_pool(seed * 100 + night)
        made = make_lists(
            read_facilities(),
            own,
            evening_mjd=61_000 + night,
            model_id="bench",
            made_ms=0,
            seed=seed,
        )
        bias = bias_metrics(made.targets, own, np.zeros(0))
        totals += [
            bias["random_share"], bias["programme_overlap"], made.quota_violations,
            bias["most_requests_of_one_object"],
        ]  # fmt: skip
    share, overlap, over, most = (totals / 10.0).tolist()
    return {"random": share, "overlap": overlap, "violations": over, "most_requests": most}


def _made_up_pool(seed: int) -> Candidates:
    rng = np.random.default_rng(seed)
    n = 1_000
    p = rng.dirichlet([0.8, 0.6, 0.2, 0.3], n)
    return Candidates(
        object_id=np.arange(n).astype(str), survey=np.full(n, "made"),
        ra_deg=rng.uniform(0, 360, n), dec_deg=np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        mag_now=rng.uniform(17, 22.5, n), mag_per_day=rng.normal(0, 0.05, n),
        mjd_now=np.full(n, 60_999.0), band=np.full(n, "r"),
        classes=("SN Ia", "SN II", "TDE", "AGN"), probabilities=p,
        information=1.0 - p.max(axis=1), is_simulated=np.ones(n, bool),
    )  # fmt: skip
