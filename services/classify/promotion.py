"""The gate: a challenger must not be worse than the champion on the objects kept apart.

Both cards were written by the same command on the same hold-outs (by a hash of the object's
name), so their numbers may be compared.
"""

from __future__ import annotations

from typing import Any

MACRO_F1_LOSS = 0.005
RECALL_LOSS = 0.03
LEAST_OBJECTS = 30
GREATEST_ECE = 0.03
AUC_LOSS = 0.005

Card = dict[str, Any]


def objections(challenger: Card, champion: Card | None) -> list[str]:
    """Why ``challenger`` must not be promoted; empty if it may."""
    if champion is None:
        return []
    found = []
    if challenger["classes"] != champion["classes"]:
        found.append("its classes differ from the champion's")
        return found
    if challenger.get("every", 1) != 1:
        found.append(f"it was trained on every {challenger['every']}th object only")
    new, old = challenger["metrics"], champion["metrics"]
    common = [source for source in old if source in new and source != "unknown"]
    for source in common:
        if "all_alerts" in old[source]:
            found += _of_alerts(source, new[source]["all_alerts"], old[source]["all_alerts"])
        else:
            found += _of_source(source, new[source], old[source], challenger["classes"])
    if old and not common:
        found.append("it was judged on nothing the champion was judged on")
    return found


def _of_source(source: str, new: Card, old: Card, classes: list[str]) -> list[str]:
    found = []
    if new["log_loss"] > old["log_loss"]:
        found.append(f"{source}: log-loss {new['log_loss']} after {old['log_loss']}")
    if new["macro_f1"] < old["macro_f1"] - MACRO_F1_LOSS:
        found.append(f"{source}: macro-F1 {new['macro_f1']} after {old['macro_f1']}")
    if new["ece"] > max(GREATEST_ECE, old["ece"]):
        found.append(f"{source}: calibration error {new['ece']} after {old['ece']}")
    for row, name in zip(old["confusion"], classes, strict=True):
        if sum(row) < LEAST_OBJECTS:
            continue
        before = old["precision_recall"][name][1]
        after = new["precision_recall"].get(name, [None, None])[1] or 0.0
        if after < before - RECALL_LOSS:
            found.append(f"{source}: recall of {name} {after} after {before}")
    return found


def _of_alerts(source: str, new: Card, old: Card) -> list[str]:
    found = [
        f"{source}: {name} {new.get(name)} after {old[name]}"
        for name in ("auc", "efficiency")
        if name in old and new.get(name, 0.0) < old[name] - AUC_LOSS
    ]
    if "ece" in old and new.get("ece", 1.0) > max(GREATEST_ECE, old["ece"]):
        found.append(f"{source}: calibration error {new.get('ece')} after {old['ece']}")
    return found
