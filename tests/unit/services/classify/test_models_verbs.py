import csv
import json
import shutil
from pathlib import Path

import pytest

from services.classify import classify_file
from services.classify.classifiers import CLASSIFIERS, MODELS, TRAINED
from services.classify.evaluation import class_of_label
from services.classify.model_registry import ModelShelf
from services.classify.promotion import objections
from services.classify.training import make
from services.classify.training.recipe import Recipe
from services.classify.training.recipes import RECIPES
from services.classify.verbs import evaluate, listing, promote, rollback, show, train


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """Thirty made-up transients of two kinds: a bell, and a fast fading one."""
    lines = ["object_id,mjd,band,flux,flux_err,label"]
    for k in range(30):
        for day in range(-20, 40, 2):
            for band, colour in (("g", 1.0), ("r", 0.9)):
                fast = k % 2 == 0
                flux = 20_000 * 2.0 ** (-(max(day, 0) if fast else abs(day) / 8))
                if fast and day < 0:
                    flux = 0.0
                name = "kilonova" if fast else "Ia"
                lines.append(f"o{k},{60_000 + day},{band},{flux * colour + k},200,{name}")
    path = tmp_path / "curves.csv"
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


def test_plots_are_written(curves: Path, tmp_path: Path) -> None:
    out, plots = str(tmp_path / "o.csv"), str(tmp_path / "plots")
    arguments = [str(curves), "-o", out, "--plot", plots, "--classifier", "transient"]
    assert classify_file.main(arguments) == 0
    assert len(list((tmp_path / "plots").glob("*.png"))) == 30


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
