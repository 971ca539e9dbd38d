"""The gate: which of tonight's challengers, if any, takes the champion's place."""

from __future__ import annotations

import time

import numpy as np

from services.classify.learning.nightly import steps
from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.source import NightSource
from services.classify.learning.nightly.steps import CHALLENGERS, Progress, ask, models_of
from services.classify.promotion import Card, objections

SHADOW_NIGHTS = 3
"""Nights a challenger must have answered beside the champion."""
LATENCY_US = 200.0
"""Most CPU microseconds per alert of a model that may answer."""


def gate(books: Books, source: NightSource, progress: Progress) -> None:
    """Promote a challenger that is no worse than the champion, on labels and in time.

    The decision is written down before it is carried out, so that what was begun is finished.
    """
    night = progress["night"]
    try:
        decision = books.read("gate", night)
    except FileNotFoundError:
        decision = _decision(books, source, progress)
        books.write("gate", night, decision)
    progress["objections"] = decision["objections"]
    progress["refit_objections"] = decision.get("refit_objections", [])
    if decision["promote"] is not None:
        if books.champion != decision["promote"]:
            books.shelf.promote(decision["promote"])
        entry = {"key": f"{night}/promoted", "night": night, "promoted": decision["promote"]}
        scores = books.read("scores", night)
        role = decision.get("role", "challenger")
        books.enter({**entry, "role": role, "replaces": decision["replaces"], "scores": scores})


def _decision(books: Books, source: NightSource, progress: Progress) -> Card:
    """What is to be done tonight, and why not more."""
    scores, models = books.read("scores", progress["night"]), models_of(books, progress)
    grounds = {role: _grounds(books, source, progress, role) for role in CHALLENGERS}
    may = [r for r in CHALLENGERS if not grounds[r] and models[r] != books.champion]
    # On the same objects as the champion; of equals, the first.
    best = max(may, key=lambda role: _gain(scores, role), default=None)
    return {
        "promote": None if best is None else models[best],
        "role": best,
        "replaces": books.champion,
        "objections": grounds["challenger"],
        "refit_objections": grounds["refitted"],
    }


def _gain(scores: Card, role: str) -> float:
    """By how much its log-loss is below the champion's; 0 without one."""
    beside = scores["beside"].get(role)
    return float(beside["champion"]["log_loss"] - beside[role]["log_loss"]) if beside else 0.0


def _grounds(books: Books, source: NightSource, progress: Progress, role: str) -> list[str]:
    """Why a challenger must not be promoted tonight; empty if it may."""
    scores, model_id = books.read("scores", progress["night"]), models_of(books, progress)[role]
    if model_id is None:
        return ["there is no such model yet"]
    if role not in scores:
        return [f"fewer than {steps.LEAST_JUDGED} of its answers have labels"]
    since = progress.get("refit_answers_since", 0) if role == "refitted" else 0
    if progress["nights_done"] - since < SHADOW_NIGHTS:
        return [f"it has answered for less than {SHADOW_NIGHTS} nights"]
    if books.champion is None:
        grounds = _against_guessing(scores[role])
    elif role not in scores["beside"]:
        return [f"fewer than {steps.LEAST_JUDGED} objects were answered by it and the champion"]
    else:
        cards = [
            {"classes": list(source.classes), "metrics": {"prequential": scores["beside"][role][k]}}
            for k in (role, "champion")
        ]
        grounds = objections(*cards)
    spent = latency_us(books, source, progress, model_id)
    if spent > LATENCY_US:
        grounds.append(f"it takes {spent:.0f} microseconds per alert")
    return grounds


def _against_guessing(scores: Card) -> list[str]:
    largest = max(map(sum, scores["confusion"])) / scores["examples"]
    if scores["accuracy"] <= largest:
        return ["it is no better than always naming the most frequent class"]
    return []


def latency_us(books: Books, source: NightSource, progress: Progress, model_id: str) -> float:
    """CPU microseconds per alert of a model, in a batch of the night's."""
    rows = books.frozen(progress["night"]).rows
    if not len(rows):
        return 0.0
    arrays, _ = books.model(model_id)
    many = np.repeat(rows, max(500 // len(rows), 1), axis=0)
    start = time.process_time()
    ask(arrays, many, len(source.classes))
    return 1e6 * (time.process_time() - start) / len(many)
