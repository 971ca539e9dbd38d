import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from services.classify import classify_file
from services.classify.classifiers import CLASSIFIERS, MODELS, TRAINED
from services.classify.evaluation import class_of_label
from services.classify.features import VERSION
from services.classify.model import load_model
from services.classify.model_registry import ModelShelf
from services.classify.promotion import objections
from services.classify.training import make
from services.classify.training.cards import write_model
from services.classify.training.examples import Examples
from services.classify.training.recipe import Recipe, Trained
from services.classify.training.recipes import RECIPES
from services.classify.verbs import evaluate, listing, promote, rebuilding, rollback, show, train
from services.classify.verbs.progress import progress, steps_of


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """Thirty made-up transients."""
    return written(tmp_path / "curves.csv", 30)


def written(path: Path, objects: int) -> Path:
    """A file of made-up transients of two kinds: a bell, and a fast fading one."""
    lines = ["object_id,mjd,band,flux,flux_err,label"]
    for k in range(objects):
        for day in range(-20, 40, 2):
            for band, colour in (("g", 1.0), ("r", 0.9)):
                fast = k % 2 == 0
                flux = 20_000 * 2.0 ** (-(max(day, 0) if fast else abs(day) / 8))
                if fast and day < 0:
                    flux = 0.0
                name = "kilonova" if fast else "Ia"
                lines.append(f"o{k},{60_000 + day},{band},{flux * colour + k},200,{name}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_is_classified(curves: Path, tmp_path: Path) -> None:
    out, features = tmp_path / "out.csv", tmp_path / "features.csv"
    assert classify_file.main([str(curves), "-o", str(out), "--features", str(features),
                               "--fits", "30"]) == 0  # fmt: skip
    rows = list(csv.DictReader(out.open()))
    assert list(rows[0]) == list(classify_file.COLUMNS)
    assert {row["classifier"] for row in rows} == set(CLASSIFIERS)
    assert {row["object_id"] for row in rows} == {f"o{k}" for k in range(30)}
    of_one = [r for r in rows if r["object_id"] == "o1" and r["classifier"] == "transient"]
    assert len(of_one) == 14
    assert sum(float(r["probability"]) for r in of_one) == pytest.approx(1.0, abs=1e-4)
    assert all(0 <= float(r["p_unknown"]) <= 1 and r["reason"] == "ok" for r in of_one)
    old = [r for r in rows if r["classifier"] == "early_sn_ia" and r["reason"] == "too_old"]
    assert all(row["probability"] == "" for row in old)
    table = list(csv.DictReader(features.open()))
    assert len(table) == 30
    assert {"rate_fade_mag_per_day", "anomaly_percentile", "bazin_chi2_g"} <= set(table[0])


def test_best_gives_one_line_per_object_and_classifier(curves: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    arguments = [str(curves), "-o", str(out), "--best", "--classifier", "transient"]
    assert classify_file.main(arguments) == 0
    assert len(list(csv.DictReader(out.open()))) == 30


def test_plots_are_written(tmp_path: Path) -> None:
    out, plots = str(tmp_path / "o.csv"), str(tmp_path / "plots")
    few = written(tmp_path / "few.csv", 3)
    arguments = [str(few), "-o", out, "--plot", plots, "--classifier", "transient"]
    assert classify_file.main(arguments) == 0
    assert len(list((tmp_path / "plots").glob("*.png"))) == 3


@pytest.mark.parametrize("text", ["nonsense\n1\n", ""])
def test_a_bad_file_is_one_line_and_exit_2(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert classify_file.main([str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_evaluation_counts_classes_and_writes_a_report(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    arguments = [str(curves), "--classifier", "transient", "--days", "10", "--report", str(report)]
    assert evaluate.main(arguments) == 0
    found = json.loads(capsys.readouterr().out)["transient"]
    assert found["answered"] == 30
    assert set(found["one_against_rest"]) == {"SN Ia", "kilonova"}
    assert set(found["as_of_days"]) == {"10", "all"}
    page = (report / "report.html").read_text()
    for plot in report.glob("*.png"):
        assert plot.name in page
    assert len(list(report.glob("*.png"))) == 4


def test_labels_may_stand_in_another_file(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("object_id,label\n" + "".join(f"o{k},II P\n" for k in range(29)))
    assert evaluate.main([str(curves), "--labels", str(labels)]) == 2
    assert "1 of 30 objects have no label" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "expected"),
    [("Ia", "SN Ia"), ("SN II P", "SN II"), ("Ic BL", "SN Ibc"), ("agn", "AGN"), ("LBV", "LBV"),
     ("SN Ia-91bg-like", "SN Ia-91bg"), ("SLSN-I", "SLSN"), ("SN IIn", "SN II")],
)  # fmt: skip
def test_labels_are_read_as_astronomers_write_them(label: str, expected: str) -> None:
    assert class_of_label(label) == expected


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    """A shelf with the shipped kilonova model, and a second one that claims another id."""
    shutil.copytree(MODELS / "kilonova", tmp_path / "models" / "kilonova")
    return ModelShelf(tmp_path / "models", "kilonova")


def test_promote_and_roll_back(shelf: ModelShelf) -> None:
    first = shelf.promoted()[-1]
    other = shelf.folder / "0123456789ab"
    shutil.copytree(shelf.of(first), other)
    at = ["kilonova", "--models", str(shelf.root)]
    assert promote.main([at[0], "0123", *at[1:]]) == 0
    assert shelf.current() == other
    assert rollback.main(at) == 0
    assert shelf.current().name == first
    while len(shelf.promoted()) > 1:
        assert rollback.main(at) == 0
    assert rollback.main(at) == 2


def test_an_unknown_model_is_said(shelf: ModelShelf, capsys: pytest.CaptureFixture[str]) -> None:
    assert promote.main(["kilonova", "ffff", "--models", str(shelf.root)]) == 2
    assert "0 models" in capsys.readouterr().err


def test_the_gate_refuses_what_is_worse(
    shelf: ModelShelf, capsys: pytest.CaptureFixture[str]
) -> None:
    champion = json.loads((shelf.current() / "model.json").read_text())
    assert objections(champion, champion) == []
    worse = json.loads(json.dumps(champion))
    source = next(iter(worse["metrics"]))
    worse["metrics"][source]["macro_f1"] -= 0.02
    worse["metrics"][source]["log_loss"] += 0.5
    assert len(objections(worse, champion)) == 2
    other = shelf.folder / "0123456789ab"
    shutil.copytree(shelf.current(), other)
    (other / "model.json").write_text(json.dumps(worse))
    assert promote.main(["kilonova", "0123", "--models", str(shelf.root)]) == 1
    assert "macro-F1" in capsys.readouterr().err
    assert shelf.current() != other
    assert promote.main(["kilonova", "0123", "--force", "--models", str(shelf.root)]) == 0
    assert shelf.current() == other


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert listing.main([]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert {line[2:].split()[0] for line in lines if line.startswith("*")} == set(TRAINED)
    assert show.main(["transient"]) == 0
    assert json.loads(capsys.readouterr().out)["classifier"] == "transient"


def test_missing_data_is_said_and_not_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["early_sn_ia", "--data", str(tmp_path), "--models", str(tmp_path)]
    assert train.main(arguments) == 2
    assert "TOCSIN_DATA" in capsys.readouterr().err


def test_further_data_sets_join_the_recipes_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Recipe] = []

    def remember(recipe: Recipe, *_: object) -> None:
        seen.append(recipe)
        raise FileNotFoundError("far enough")

    monkeypatch.setattr(make, "train", remember)
    also = ["--also", "own_archive", "--data", str(tmp_path), "--models", str(tmp_path)]
    assert train.main(["transient", *also]) == 2
    assert list(seen[0].looks) == [*RECIPES["transient"].looks, "own_archive"]
    assert train.main(["early_sn_ia", *also]) == 2
    assert "leave out --also" in capsys.readouterr().err


def copied_with(seed_of_card: dict[str, Any], change: float) -> Callable[..., tuple[Path, None]]:
    """In place of a training: the shipped model of kilonova, its first array changed by so much."""

    def make_it(name: str, data: Path, models: Path, seed: int, every: int, say: object,
                also: object = ()) -> tuple[Path, None]:  # fmt: skip
        seed_of_card.update(seed=seed, every=every)
        model = load_model(ModelShelf(MODELS, name).current(), VERSION)
        arrays = {**model.arrays, "temperature": model.arrays["temperature"] + change}
        about = {k: model.card[k] for k in ("trained_on", "seed", "every", "metrics")}
        shelf = ModelShelf(models, name)
        return write_model(shelf, model.classes, model.features, arrays, about), None

    return make_it


@pytest.mark.parametrize(("change", "status"), [(0.0, 0), (1e-9, 1)])
def test_check_compares_bit_for_bit(
    change: float,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(rebuilding, "make_model", copied_with(asked, change))
    before = ModelShelf(MODELS, "kilonova").all()
    assert train.main(["kilonova", "--check"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == ("not identical" if change else "identical, bit for bit")
    assert ModelShelf(MODELS, "kilonova").all() == before
    card = json.loads((ModelShelf(MODELS, "kilonova").current() / "model.json").read_text())
    assert asked == {"seed": card["seed"], "every": card["every"]}


def test_what_differs_between_two_cards_is_named() -> None:
    card = json.loads((ModelShelf(MODELS, "kilonova").current() / "model.json").read_text())
    other = json.loads(json.dumps(card))
    assert rebuilding.differences(card, other) == []
    other["made_with"]["lightgbm"] = "0.1"
    other["code_sha256"] = "0"
    assert rebuilding.differences(card, other) == [
        f"lightgbm: {card['made_with']['lightgbm']} then, 0.1 now",
        "the code of features and training has changed since",
    ]


def test_a_bar_on_a_terminal_and_lines_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    sink = io.StringIO()
    with progress("training", 4, Console(file=sink, force_terminal=True)) as step:
        step("osc [1] examples")
        step("growing")
    assert "osc [1] examples" in sink.getvalue()
    assert "2/4" in sink.getvalue()
    with progress("training", 4, Console(file=io.StringIO())) as step:
        step("growing")
    assert capsys.readouterr().err == "growing\n"
    assert steps_of("microlensing") == len(RECIPES["microlensing"].looks) + 3


def test_a_report_shows_purity_against_days(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = CLASSIFIERS["kilonova"].features
    rows = np.zeros((400, len(features)), dtype=np.float32)
    rows[:, features.index("days_since_first_detection")] = np.tile([1, 5, 10, 40], 100)
    label = rng.integers(0, 2, 400).astype(np.int16)
    right = rng.random(400) < 0.8
    first = np.where(right, label == 0, label == 1) * 0.8 + 0.1
    held = Examples(rows, label, np.ones(400), np.arange(400), np.full(400, "osc:ztf_alert"),
                    np.ones(400, dtype=bool))  # fmt: skip
    trained = Trained({}, {}, {}, held, np.stack([first, 1.0 - first], axis=1))
    page = train.write_report("kilonova", trained, tmp_path)
    assert "kilonova_osc_ztf_alert_days.png" in page.read_text()
    by_days = train.by_days("kilonova", trained, np.ones(400, dtype=bool))
    assert list(by_days) == ["3", "7", "14"]
    young = rows[:, features.index("days_since_first_detection")] == 1
    assert by_days["3"]["efficiency"] == pytest.approx(right[young & (label == 0)].mean(), abs=1e-4)
