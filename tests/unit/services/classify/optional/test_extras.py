"""Tocsin's half of each extra: which requests and models are refused, and when it abstains."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.classify import classify_file
from services.classify.light_curve_file import read_light_curves
from services.classify.optional import EXTRAS
from services.classify.optional.base import ExtraRefusedError, Job, Request
from services.classify.optional.passbands import passband_files

PYTHON = Path("/nowhere/python")
SETTINGS = {
    "model": "vanilla",
    "nb_classes": 2,
    "redshift": "none",
    "list_filters": ["g", "r"],
    "all_features": ["FLUXCAL_g", "FLUXCAL_r"],
    "sntypes": {"101": "Ia", "120": "II"},
    "fits_dir": "/somewhere/else",
    "preprocessed_dir": "/somewhere/with/a/pickle",
}


def request(model: str | None = None, **more: Any) -> Request:
    return Request(PYTHON, model, **more)


def snn_model(folder: Path, **settings: Any) -> str:
    """What ``snn train_rnn`` leaves behind, but for the weights."""
    folder.mkdir(exist_ok=True)
    (folder / "model.pt").write_bytes(b"weights")
    (folder / "cli_args.json").write_text(json.dumps(SETTINGS | settings))
    (folder / "data_norm.json").write_text("{}")
    return str(folder / "model.pt")


def job_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "model", "why"),
    [
        ("supernnova", None, "no model comes with"),
        ("supernnova", "nothing.pt", "there is no file"),
        ("supernnova", "model.pkl", "ends in .pt"),
        ("parsnip", "plasticc_photoz", "photometric redshift with its error"),
        ("parsnip", "nothing.pt", "there is no file"),
        ("parsnip", "nonsense", "ends in .pt"),
        ("mosfit", None, "name of one of MOSFiT's models"),
        ("mosfit", "../evil", "name of one of MOSFiT's models"),
    ],
)
def test_a_model_that_is_none_is_refused(
    tmp_path: Path, name: str, model: str | None, why: str
) -> None:
    with pytest.raises(ExtraRefusedError, match=why):
        EXTRAS[name].job(request(model), tmp_path)


def test_a_supernnova_model_is_copied_with_no_folder_of_its_makers(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    job = EXTRAS["supernnova"].job(request(snn_model(tmp_path / "snn")), folder)
    copied = json.loads((folder / "model" / "cli_args.json").read_text())
    assert copied["preprocessed_dir"] == copied["fits_dir"] == str(folder / "empty")
    assert copied["use_cuda"] is False
    assert (folder / "model" / "model.pt").read_bytes() == b"weights"
    assert job.asked["filters"] == {"g": "g", "r": "r"}
    assert job.asked["classes"] == ["Ia", "not Ia"]
    assert job.model == hashlib.sha256(b"weights").hexdigest()[:12]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"swag": True}, "pickled object"),
        ({"model": "swag"}, "pickled object"),
        ({"redshift": "zpho"}, "no error of the redshift"),
        ({"additional_train_var": ["COLOUR"]}, "columns beyond the light curve"),
        ({"list_filters": ["g", "F999W"]}, "F999W"),
        ({"list_filters": ["g", "DES-g"]}, "twice"),
        ({"list_filters": None}, "list_filters"),
        ({"all_features": None}, "not of a trained model"),
    ],
)
def test_supernnova_models_that_cannot_be_read_are_refused(
    tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    with pytest.raises(ExtraRefusedError, match=why):
        EXTRAS["supernnova"].job(
            request(snn_model(tmp_path / "snn", **settings)), job_folder(tmp_path)
        )


@pytest.mark.parametrize(
    ("text", "why"), [(None, "is missing"), ("x", "no JSON"), ("[]", "no set")]
)
def test_settings_that_are_none_are_refused(tmp_path: Path, text: str | None, why: str) -> None:
    model = snn_model(tmp_path / "snn")
    path = tmp_path / "snn" / "cli_args.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(ExtraRefusedError, match=why):
        EXTRAS["supernnova"].job(request(model), job_folder(tmp_path))


def test_many_classes_come_with_the_target_first(tmp_path: Path) -> None:
    types = {"1": "II", "2": "Ia", "3": "II", "4": "Ic"}
    model = snn_model(tmp_path / "snn", nb_classes=3, sntypes=types)
    job = EXTRAS["supernnova"].job(request(model), job_folder(tmp_path))
    assert job.asked["classes"] == ["Ia", "II", "Ic"]


def test_a_pickled_parsnip_classifier_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classifier.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ExtraRefusedError, match=r"classifier\.pkl is a pickle"):
        EXTRAS["parsnip"].job(request(trees=tmp_path), tmp_path)


def test_parsnip_trees_are_listed(tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('{"class_names": ["Ia"], "keys": ["color"]}')
    with pytest.raises(ExtraRefusedError, match="holds 0 fold_"):
        EXTRAS["parsnip"].job(request(trees=tmp_path), tmp_path)
    (tmp_path / "fold_0.txt").write_text("tree")
    job = EXTRAS["parsnip"].job(request(trees=tmp_path), tmp_path)
    assert job.asked["trees"]["folds"] == [str(tmp_path / "fold_0.txt")]
    assert job.asked["zero_point"] == 25.0
    with pytest.raises(ExtraRefusedError, match="--zero-point"):
        EXTRAS["parsnip"].job(request(zero_point=-3.0), tmp_path)


@pytest.mark.parametrize("more", [{"iterations": 0}, {"iterations": 10**6}, {"walkers": 2}])
def test_mosfit_is_bounded(tmp_path: Path, more: dict[str, int]) -> None:
    with pytest.raises(ExtraRefusedError, match="--iterations goes"):
        EXTRAS["mosfit"].job(request("ia", **more), tmp_path)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("supernnova", ["ok", "too_few_points", "ok"]),
        ("parsnip", ["ok", "too_few_points", "no_redshift"]),
        ("mosfit", ["ok", "too_few_points", "no_redshift"]),
    ],
)
def test_when_an_extra_abstains(tmp_path: Path, name: str, reasons: list[str]) -> None:
    lines = ["object_id,mjd,band,flux,flux_err,redshift"]
    lines += [f"a,{60000 + k},g,1000,10,0.1" for k in range(12)]
    lines += [f"faint,{60000 + k},g,10,10,0.1" for k in range(12)]
    lines += [f"nowhere,{60000 + k},g,1000,10," for k in range(12)]
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(lines) + "\n")
    found = ["ok"] * 3
    grounds = EXTRAS[name].grounds(read_light_curves(path), Job((), ""))
    for reason, applies in reversed(grounds):
        found = [reason if a else f for a, f in zip(applies.tolist(), found, strict=True)]
    assert found == reasons


def test_the_command_says_what_is_wrong_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("object_id,mjd,band,flux,flux_err\na,60000,g,1000,10\na,60001,g,1000,10\n")
    assert classify_file.main([str(path), "--with", "supernnova"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("supernnova: no model comes with the package")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("400 0\n420 1\n450 1\n500 1\n540 1\n550 0\n", "nanometres are tenfold"),
        ("4000 0\n4500 1\n4400 1\n5000 1\n5500 0\n", "must rise"),
        ("4000 0\n4500 1\n5000 nan\n5400 1\n5500 0\n", "finite"),
        ("4000\n4500\n", "two columns"),
        ("wave trans\n", "two columns"),
    ],
)
def test_a_passband_that_is_none_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "g.dat").write_text(text)
    with pytest.raises(ExtraRefusedError, match=why):
        passband_files(tmp_path)


def test_passbands_of_a_folder(tmp_path: Path) -> None:
    assert passband_files(None) == {}
    with pytest.raises(ExtraRefusedError, match="holds none of u"):
        passband_files(tmp_path)
    (tmp_path / "g.dat").write_text("4000 0\n4200 1\n4600 1\n5000 1\n5400 1\n5500 0\n")
    assert passband_files(tmp_path) == {"g": str(tmp_path / "g.dat")}
