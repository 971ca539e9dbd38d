"""ParSNIP: a generative model that describes a transient by a few numbers (Boone 2021).

``--model`` is one the package brings (plasticc, ps1) or a ``.pt`` that it trained. The answer is
the posterior of its parameters; with ``--trees`` the classes of its LightGBM classifier, in
LightGBM's own text format. Luminosities are of the model: an absolute magnitude up to a constant,
the same for all objects of one model and zero point. https://doi.org/10.3847/1538-3881/ac2a2d
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.classify.light_curve_file import LightCurveFile
from services.classify.optional.base import (
    CLASS_COLUMNS,
    PARAMETER_COLUMNS,
    ExtraRefusedError,
    Ground,
    Job,
    Request,
    detections,
    fingerprint,
    model_file,
)

_BUILT_IN = ("plasticc", "ps1")
_LEAST_POINTS = 3
_LEAST_SNR = 5.0
_MOST_FOLDS = 100
_UNITS = {"reference_time": "mjd", "color": "mag", "luminosity": "mag (of the model)"}


class Parsnip:
    """Parameters of ParSNIP's model, or classes of trees on top of them."""

    name = "parsnip"
    distribution = "astro-parsnip"
    modules = ("parsnip", "torch", "lcdata", "sncosmo")
    install = (
        "python3.11 -m venv parsnip && parsnip/bin/pip install astro-parsnip torch, then --python"
        " parsnip/bin/python"
    )
    most_objects = 20_000

    def job(self, request: Request, folder: Path) -> Job:
        """Name the model, and the trees if there are any."""
        del folder
        name = request.model or _BUILT_IN[0]
        if name in _BUILT_IN:
            model = name
        elif name == "plasticc_photoz":
            raise ExtraRefusedError(
                "plasticc_photoz asks for a photometric redshift with its error, which a file of"
                f" light curves does not have: use one of {', '.join(_BUILT_IN)} or a .pt"
            )
        else:
            path = model_file(name, (".pt",))
            name, model = str(path.resolve()), fingerprint(path)
        if not 0.0 <= request.zero_point <= 50.0:
            raise ExtraRefusedError("--zero-point is an AB magnitude from 0 to 50")
        asked = {"model": name, "zero_point": request.zero_point, "trees": None}
        if request.trees is None:
            return Job(PARAMETER_COLUMNS, model, asked, _UNITS)
        return Job(CLASS_COLUMNS, model, asked | {"trees": _trees(request.trees)})

    def grounds(self, curves: LightCurveFile, job: Job) -> Sequence[Ground]:
        """No redshift, without which the model cannot work, or too few points of S/N 5."""
        del job
        return (
            ("no_redshift", ~(np.isfinite(curves.redshift) & (curves.redshift > 0.0))),
            ("too_few_points", detections(curves, _LEAST_SNR) < _LEAST_POINTS),
        )


def _trees(folder: Path) -> dict[str, object]:
    """``classes.json`` and the files of the folds."""
    pickled = sorted(folder.glob("*.pkl")) if folder.is_dir() else [folder]
    path = folder / "classes.json"
    if not path.is_file():
        named = f" ({pickled[0].name} is a pickle, which Tocsin does not load)" if pickled else ""
        raise ExtraRefusedError(
            f"{folder} has no classes.json{named}: write the classifier as text first,"
            " see docs/classifiers.md, Optional extras"
        )
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        names, keys = [str(n) for n in told["class_names"]], [str(k) for k in told["keys"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ExtraRefusedError(f"{path}: class_names and keys are needed, as lists") from error
    folds = sorted(str(fold.resolve()) for fold in folder.glob("fold_*.txt"))
    if not 0 < len(folds) <= _MOST_FOLDS:
        raise ExtraRefusedError(f"{folder} holds {len(folds)} fold_*.txt, 1 to {_MOST_FOLDS} go")
    return {"names": names, "keys": keys, "folds": folds}
