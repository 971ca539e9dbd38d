"""Training, whole: from the light curves on disk to a model and its card. Takes a minute."""

import json
import os
from pathlib import Path

import pytest

from services.classify.model_registry import ModelShelf
from services.classify.training.early_sn_ia import CUTS
from services.classify.verbs.train import main

SHELF = Path(os.environ.get("TOCSIN_DATA", Path(__file__).parents[5] / "shared" / "data"))
needs_shelf = pytest.mark.skipif(
    not (SHELF / "light_curves").is_dir(), reason="TOCSIN_DATA has no light_curves/"
)


@pytest.mark.shelf
@needs_shelf
def test_a_small_model_trains_twice_the_same_and_beats_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {name: CUTS[name] for name in ("plasticc", "osc")}
    monkeypatch.setattr("services.classify.training.early_sn_ia.CUTS", small)
    monkeypatch.setattr("services.classify.training.early_sn_ia.TRAINED_ON", ("plasticc",))
    cards = []
    for models in (tmp_path / "a", tmp_path / "b"):
        arguments = ["early_sn_ia", "--data", str(SHELF), "--models", str(models), "--every", "8"]
        assert main([*arguments, "--promote", "--report", str(models / "report")]) == 0
        cards.append(
            json.loads((ModelShelf(models, "early_sn_ia").current() / "model.json").read_text())
        )
        assert (models / "report" / "report.html").exists()
    assert cards[0]["id"] == cards[1]["id"]
    metrics = cards[0]["metrics"]
    assert metrics["plasticc"]["all_alerts"]["auc"] > 0.65
    assert metrics["osc"]["trained_on"] is False
