"""SuperNNova: recurrent networks that classify supernovae at any epoch.

A model is what ``snn train_rnn`` wrote: ``NAME.pt`` with ``cli_args.json`` and ``data_norm.json``
beside it. The package brings none, so the user names one; fluxes and filters must be those it was
trained on. Moeller & de Boissiere 2020, https://doi.org/10.1093/mnras/stz3312
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.classify.light_curve_file import LightCurveFile
from services.classify.optional.base import (
    CLASS_COLUMNS,
    ExtraRefusedError,
    Ground,
    Job,
    Request,
    detections,
    fingerprint,
    model_file,
)
from shared.light_curves.bands import NEAREST_BAND

_LEAST_POINTS = 2
_LEAST_SNR = 5.0
_MOST_JSON_BYTES = 4 << 20
_MODELS = ("vanilla", "variational", "bayesian", "bayesian_2")
_FOLDERS = (
    "dump_dir", "raw_dir", "fits_dir", "processed_dir", "preprocessed_dir", "models_dir", "rnn_dir",
    "explore_dir", "figures_dir", "lightcurves_dir",
)  # fmt: skip
"""Settings that name folders: the package reads a pickle from one of them if it finds it."""
_FILES = ("pickle_file_name", "hdf5_file_name", "config_file", "model_files", "plot_file",
          "photo_window_files", "testing_ids", "swag_pretrained_path", "prediction_files",
          "metric_files", "done_file", "phot_reject_list")  # fmt: skip


class SuperNNova:
    """Probabilities of a SuperNNova model's classes."""

    name = "supernnova"
    distribution = "supernnova"
    modules = ("supernnova", "torch")
    install = (
        "give it an environment of its own (it wants astropy below 6 and pandas below 3):"
        " python3.11 -m venv snn && snn/bin/pip install supernnova torch, then --python"
        " snn/bin/python"
    )
    most_objects = 20_000

    def job(self, request: Request, folder: Path) -> Job:
        """Copy the model with settings that name no folder but the job's."""
        if request.model is None:
            raise ExtraRefusedError(
                "no model comes with the package: --model NAME.pt of snn train_rnn, with"
                " cli_args.json and data_norm.json beside it"
            )
        model = model_file(request.model, (".pt",))
        settings = _json(model.parent / "cli_args.json")
        norm = _json(model.parent / "data_norm.json")
        filters = _filters(settings)
        _check(settings)
        copy = folder / "model"
        copy.mkdir()
        empty = folder / "empty"
        empty.mkdir()
        settings |= {name: str(empty) for name in _FOLDERS} | dict.fromkeys(_FILES)
        settings |= {"use_cuda": False, "no_dump": True}
        (copy / "cli_args.json").write_text(json.dumps(settings), encoding="utf-8")
        (copy / "data_norm.json").write_text(json.dumps(norm), encoding="utf-8")
        shutil.copyfile(model, copy / "model.pt")
        asked = {
            "model": str(copy / "model.pt"),
            "filters": filters,
            "classes": _classes(settings),
            "sntype_var": str(settings.get("sntype_var") or "SNTYPE"),
        }
        return Job(CLASS_COLUMNS, fingerprint(model), asked)

    def grounds(self, curves: LightCurveFile, job: Job) -> Sequence[Ground]:
        """Too few points of S/N 5."""
        del job
        return (("too_few_points", detections(curves, _LEAST_SNR) < _LEAST_POINTS),)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ExtraRefusedError(f"{path} is missing: snn train_rnn writes it beside the model")
    if path.stat().st_size > _MOST_JSON_BYTES:
        raise ExtraRefusedError(f"{path} is larger than {_MOST_JSON_BYTES >> 20} MiB")
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExtraRefusedError(f"{path} is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise ExtraRefusedError(f"{path} is not a SuperNNova file: it holds no settings")
    return read


def _check(settings: dict[str, Any]) -> None:
    if settings.get("model") not in _MODELS or settings.get("swag"):
        raise ExtraRefusedError(
            f"a model of kind {settings.get('model')!r} is not read: a SWAG model is a pickled"
            f" object, which Tocsin does not load; retrain as one of {', '.join(_MODELS)}"
        )
    if settings.get("redshift", "none") != "none":
        raise ExtraRefusedError(
            "this model asks for the host's redshift with its error, and a file of light curves"
            " has no error of the redshift: train with --redshift none"
        )
    if settings.get("additional_train_var"):
        raise ExtraRefusedError("this model asks for columns beyond the light curve: not read")
    if not isinstance(settings.get("all_features"), list):
        raise ExtraRefusedError("cli_args.json has no all_features: it is not of a trained model")


def _filters(settings: dict[str, Any]) -> dict[str, str]:
    """The model's filter for each of our bands."""
    filters = settings.get("list_filters")
    if not isinstance(filters, list) or not filters:
        raise ExtraRefusedError("cli_args.json names no list_filters")
    found: dict[str, str] = {}
    for name in map(str, filters):
        nearest = NEAREST_BAND.get(name)
        if nearest is None or nearest[0] in found:
            raise ExtraRefusedError(
                f"the model's filter {name!r} is none of u g r i z y, or one of them twice"
            )
        found[nearest[0]] = name
    return found


def _classes(settings: dict[str, Any]) -> list[str]:
    """Names of the classes in the model's order: the target first, as the package puts it."""
    count = int(settings.get("nb_classes") or 2)
    target = str(settings.get("target_sntype") or "Ia")
    if count == 2:
        return [target, f"not {target}"]
    named = list(dict.fromkeys(map(str, (settings.get("sntypes") or {}).values())))
    if target in named:
        named.remove(target)
        named.insert(0, target)
    return named if len(named) == count else [f"class {k}" for k in range(count)]
