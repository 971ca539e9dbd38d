"""The extras themselves, where they are installed: really loaded, really asked.

``TOCSIN_TEST_SUPERNNOVA_PYTHON``, ``..._PARSNIP_PYTHON`` and ``..._MOSFIT_PYTHON`` name the Pythons
that have them; without, the one that runs the tests is tried, and where it has none they skip.
"""

import csv
import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.classify import classify_file
from services.classify.optional import EXTRAS
from services.classify.optional.passbands import EDGES_ANGSTROM

SNN_FEATURES = [
    *(f"FLUXCAL_{f}" for f in "gr"), *(f"FLUXCALERR_{f}" for f in "gr"), "delta_time",
    "g", "r", "gr",
]  # fmt: skip
FRESH_SNN = """
import json, sys, torch
from types import SimpleNamespace
from supernnova.training.vanilla_rnn import VanillaRNN
torch.manual_seed(0)
settings = json.load(open(sys.argv[1] + "/cli_args.json"))
net = VanillaRNN(len(settings["training_features"]), SimpleNamespace(**settings))
torch.save(net.state_dict(), sys.argv[1] + "/fresh.pt")
"""
EVIL = """
import pathlib, sys, torch
class Evil:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(sys.argv[1] + "/executed"),)
torch.save([{"bands": []}, Evil()], sys.argv[1] + "/evil.pt")
"""


def python_of(name: str) -> str:
    """The Python that has an extra; skips where there is none."""
    variable = f"TOCSIN_TEST_{name.upper()}_PYTHON"
    if variable in os.environ:
        return os.environ[variable]
    if any(importlib.util.find_spec(module) is None for module in EXTRAS[name].modules):
        pytest.skip(f"{name} is not installed beside these tests; {variable} may name its Python")
    return sys.executable


def curves(folder: Path) -> Path:
    """Two months of something that rises and fades, at redshift 0.05, in g and r."""
    path = folder / "curves.csv"
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["object_id", "mjd", "band", "flux", "flux_err", "redshift"])
        for k in range(40):
            day = 1.5 * k
            flux = 60_000.0 * math.exp(-0.5 * ((day - 18.0) / (8.0 if day < 18.0 else 18.0)) ** 2)
            writer.writerow(["made", 60_000 + day, "gr"[k % 2], f"{flux:.1f}", 600.0, 0.05])
    return path


def answered(folder: Path, *arguments: str) -> list[dict[str, str]]:
    out = folder / "out.csv"
    assert classify_file.main([str(curves(folder)), *arguments, "-o", str(out)]) == 0
    with out.open(newline="") as source:
        return list(csv.DictReader(source))


def snn_settings(folder: Path) -> Path:
    """What the package writes beside a model trained on g and r."""
    folder.mkdir()
    numbers = {name: {"min": -100.0, "mean": 5.0, "std": 1.0} for name in SNN_FEATURES[:5]}
    settings = {
        "model": "vanilla", "nb_classes": 2, "redshift": "none", "norm": "global", "seed": 0,
        "list_filters": ["g", "r"], "list_filters_combination": ["g", "r", "gr"],
        "all_features": SNN_FEATURES, "training_features": SNN_FEATURES,
        "training_features_to_normalize": SNN_FEATURES[:5], "sntypes": {"1": "Ia", "2": "II"},
        "sntype_var": "SNTYPE", "additional_train_var": None, "photo_window_var": "PKMJDINI",
        "layer_type": "lstm", "hidden_dim": 8, "num_layers": 1, "dropout": 0.0,
        "bidirectional": True, "use_cuda": False, "rnn_output_option": "mean",
        "pytorch_model_name": "vanilla_fresh", "num_inference_samples": 1, "weight_decay": 0.0,
    }  # fmt: skip
    (folder / "cli_args.json").write_text(json.dumps(settings))
    (folder / "data_norm.json").write_text(json.dumps(numbers))
    return folder


def test_supernnova_answers_with_the_probability_of_each_class(tmp_path: Path) -> None:
    python = python_of("supernnova")
    folder = snn_settings(tmp_path / "snn")
    subprocess.run([python, "-c", FRESH_SNN, str(folder)], check=True, timeout=250)
    rows = answered(
        tmp_path, "--with", "supernnova", "--model", str(folder / "fresh.pt"), "--python", python
    )
    assert [row["class"] for row in rows] == ["Ia", "not Ia"]
    assert sum(float(row["probability"]) for row in rows) == pytest.approx(1.0, abs=1e-5)
    assert 0.0 < float(rows[0]["probability"]) < 1.0
    assert rows[0]["model_id"].startswith("supernnova 3.")


@pytest.mark.parametrize("name", ["supernnova", "parsnip"])
def test_a_model_that_would_run_code_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    python = python_of(name)
    folder = snn_settings(tmp_path / "evil")
    subprocess.run([python, "-c", EVIL, str(folder)], check=True, timeout=250)
    arguments = ["--with", name, "--model", str(folder / "evil.pt"), "--python", python]
    assert classify_file.main([str(curves(tmp_path)), *arguments]) == 2
    assert "weights" in capsys.readouterr().err
    assert not (folder / "executed").exists()


def test_parsnip_answers_with_its_parameters(tmp_path: Path) -> None:
    python = python_of("parsnip")
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    for band, (low, high) in EDGES_ANGSTROM.items():
        lines = [f"{w} {float(low <= w <= high)}" for w in range(low - 10, high + 11, 10)]
        (boxes / f"{band}.dat").write_text("\n".join(lines) + "\n")
    rows = answered(tmp_path, "--with", "parsnip", "--python", python, "--passbands", str(boxes))
    found = {row["parameter"]: row for row in rows}
    assert {"reference_time", "color", "s1", "s2", "s3", "luminosity"} <= set(found)
    assert 60_005.0 < float(found["reference_time"]["p50"]) < 60_045.0
    assert float(found["s1"]["p16"]) < float(found["s1"]["p84"])


def test_mosfit_fits_within_its_time(tmp_path: Path) -> None:
    python = python_of("mosfit")
    rows = answered(
        tmp_path, "--with", "mosfit", "--model", "ia", "--python", python,
        "--iterations", "2", "--walkers", "32", "--seconds", "120",
    )  # fmt: skip
    found = {row["parameter"]: [float(row[p]) for p in ("p16", "p50", "p84")] for row in rows}
    assert {"mejecta", "vejecta", "fnickel", "texplosion"} <= set(found)
    assert all(low <= middle <= high for low, middle, high in found.values())
    assert 1e-3 <= found["fnickel"][1] <= 1.0
