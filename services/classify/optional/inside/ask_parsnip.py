"""Beside ParSNIP: the package's own ``predict_dataset`` on batches of light curves."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_BATCH = 200
_ZERO_POINT_NJY = 31.4
_SAFE_TORCH = (2, 6)
"""Before it, what looks like weights alone could run code (CVE-2025-32434)."""
_BANDS = "ugrizy"


def answers(job: dict[str, Any], curves: dict[str, npt.NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """One answer for each object: parameters, or the classes of the trees."""
    import torch  # noqa: PLC0415  # only this Python has it

    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _SAFE_TORCH:
        yield {"refused": f"torch {torch.__version__} loads models unsafely: 2.6 or newer"}
        return
    torch.serialization.add_safe_globals(_plain_numpy())
    _register_passbands(job)
    import parsnip  # noqa: PLC0415

    try:
        model = parsnip.load_model(job["model"], device="cpu", threads=1)
    except Exception as error:  # noqa: BLE001  # whatever the package finds wrong with the file
        yield {"refused": _refusal(error)}
        return
    if model.settings["predict_redshift"]:
        yield {"refused": "this model asks for a photometric redshift with its error: not read"}
        return
    filters = {_band_of(name): name for name in model.settings["bands"]}
    count = len(curves["row"])
    for start in range(0, count, _BATCH):
        tables = {
            k: table
            for k in range(start, min(start + _BATCH, count))
            if (table := _table(curves, k, filters, job["zero_point"])) is not None
        }
        yield from _asked(job, model, tables, curves["row"], start, min(start + _BATCH, count))


def _asked(
    job: dict[str, Any], model: Any, tables: dict[int, Any], row: Any, start: int, stop: int
) -> Iterator[dict[str, Any]]:
    answered: set[int] = set()
    if tables:
        predictions = model.predict(list(tables.values()))
        told = _classes(job["trees"], predictions) if job["trees"] else _parameters(predictions)
        for object_id, answer in zip(predictions["object_id"], told, strict=True):
            answered.add(int(object_id))
            yield {"row": int(row[int(object_id)]), **answer}
    for k in range(start, stop):
        if k not in answered:
            yield {"row": int(row[k]), "reason": "no_point_in_the_models_bands"}


def _parameters(predictions: Any) -> Iterator[dict[str, Any]]:
    """Percentiles of each parameter, whose posterior the model gives as a normal one."""
    names = [n for n in predictions.colnames if f"{n}_error" in predictions.colnames]
    for line in predictions:
        told = {
            n: [float(line[n]) + k * float(line[f"{n}_error"]) for k in (-1.0, 0.0, 1.0)]
            for n in names
            if np.isfinite(line[n]) and np.isfinite(line[f"{n}_error"])
        }
        yield {"parameters": told}


def _classes(trees: dict[str, Any], predictions: Any) -> Iterator[dict[str, Any]]:
    """The mean over the folds, as ``parsnip.Classifier.classify`` has it."""
    import lightgbm  # noqa: PLC0415

    features = np.array([np.asarray(predictions[key], dtype=float) for key in trees["keys"]]).T
    folds = [lightgbm.Booster(model_file=path).predict(features) for path in trees["folds"]]
    mean = np.mean(folds, axis=0)
    if mean.ndim == 1:  # one class against the rest: LightGBM gives the second's probability
        mean = np.stack([1.0 - mean, mean], axis=1)
    for line in mean:
        yield {"classes": dict(zip(trees["names"], line.tolist(), strict=True))}


def _table(
    curves: dict[str, npt.NDArray[Any]], k: int, filters: dict[str, str], zero_point: float
) -> Any:
    """One light curve as lcdata has it; None where no band is the model's."""
    from astropy.table import Table  # noqa: PLC0415

    points = slice(int(curves["offsets"][k]), int(curves["offsets"][k + 1]))
    bands = np.array([filters.get(_BANDS[code], "") for code in curves["band"][points]])
    keep = bands != ""
    if not keep.any():
        return None
    scale = 10.0 ** (-0.4 * (_ZERO_POINT_NJY - zero_point))
    table = Table(
        {
            "time": curves["mjd"][points][keep],
            "flux": curves["flux_njy"][points][keep] * scale,
            "fluxerr": curves["flux_err_njy"][points][keep] * scale,
            "band": bands[keep],
        }
    )
    known = {name: float(curves[name][k]) for name in ("ra_deg", "dec_deg")}
    table.meta = {
        "object_id": str(k),
        "ra": known["ra_deg"],
        "dec": known["dec_deg"],
        "redshift": float(curves["redshift"][k]),
    }
    return table


def _band_of(name: str) -> str:
    """Our band for sncosmo's: lsstg, ps1::g, ztfg, desg, sdssg."""
    last = name.rsplit("::", 1)[-1][-1:].lower()
    return last if last in _BANDS else name


def _register_passbands(job: dict[str, Any]) -> None:
    """Curves the user gave, under every name a model may know the band by."""
    import sncosmo  # noqa: PLC0415

    for band, path in job["passbands"].items():
        wavelength, transmission = np.loadtxt(Path(path), usecols=(0, 1), unpack=True)
        for name in (f"lsst{band}", f"ps1::{band}", f"ztf{band}", f"des{band}", f"sdss{band}"):
            curve = sncosmo.Bandpass(wavelength, transmission, name=name)
            sncosmo.register(curve, name, force=True)


def _plain_numpy() -> list[Any]:
    """What a stored NumPy array of numbers is made with; a model's settings hold some."""
    homes = ("numpy.core.multiarray", "numpy._core.multiarray")  # before NumPy 2, and since
    home = importlib.import_module(homes[int(np.__version__.split(".")[0]) >= 2])
    makers = ("_reconstruct", "scalar")
    kinds = (np.float64, np.float32, np.int64, np.bool_)
    return [
        *((getattr(home, maker), f"{name}.{maker}") for name in homes for maker in makers),
        np.ndarray,
        np.dtype,
        *(type(np.dtype(kind)) for kind in (*kinds, np.str_)),
    ]


def _refusal(error: Exception) -> str:
    words = str(error).strip().splitlines()
    if "weights" in str(error).lower() and "load" in str(error).lower():
        return (
            "the model is no file of plain settings and weights; save it with the package's own"
            " save()"
        )
    if isinstance(error, OSError) and "urlopen" in str(error):
        return (
            "sncosmo fetches the model's passbands at first use, and cannot reach its server; give"
            " them by --passbands DIR"
        )
    first = words[0][:120] if words else ""
    return f"ParSNIP cannot load the model ({type(error).__name__}: {first})"
