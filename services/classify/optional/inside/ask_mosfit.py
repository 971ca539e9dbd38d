"""Beside MOSFiT: one ensemble fit after another, each within its share of the time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_ZERO_POINT_NJY = 31.4
_MAGNITUDES_PER_RELATIVE_ERROR = 2.5 / float(np.log(10.0))
_SAMPLING = 0.7
"""Share of an object's time for steps: each walker's light curve is computed after them."""
_PERCENTILES = (16.0, 50.0, 84.0)
_STEP_ANGSTROM = 10
_RULES = Path("modules") / "observables" / "filterrules.json"
"""Where MOSFiT looks for filters before its own list, whose curves it would download."""


def answers(job: dict[str, Any], curves: dict[str, npt.NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """One answer for each object: percentiles of the free parameters."""
    _write_filters(job)
    from mosfit.fitter import Fitter  # noqa: PLC0415  # only this Python has it

    until = time.monotonic() + job["seconds"]
    count = len(curves["row"])
    for k in range(count):
        left = until - time.monotonic()
        row = int(curves["row"][k])
        if left <= 0.0:
            yield {"row": row, "reason": "out_of_time"}
            continue
        event = _event(job, curves, k)
        try:
            seconds = _SAMPLING * left / (count - k)
            yield {"row": row, **_fit(Fitter, job, event, seconds)}
        except Exception as error:  # noqa: BLE001  # one object must not end the batch
            yield {"row": row, "reason": f"fit_failed: {type(error).__name__}: {error}"[:200]}


def _fit(fitter_class: Any, job: dict[str, Any], event: Path, seconds: float) -> dict[str, Any]:
    fitter = fitter_class(quiet=True, exit_on_prompt=True)
    entries, _, _ = fitter.fit_events(
        events=[str(event)],
        models=[job["model"]],
        method="ensembler",
        iterations=job["iterations"],
        num_walkers=job["walkers"],
        maximum_walltime=seconds,
        seed=0,
        max_cores=1,
        write=False,
        return_fits=True,
        exit_on_prompt=True,
    )
    if not entries or not entries[0] or entries[0][0] is None:
        return {"reason": f"fit_failed: MOSFiT has no model {job['model']} or took no point"}
    return {"parameters": _percentiles(entries[0][0])}


def _percentiles(entry: Any) -> dict[str, list[float]]:
    """Of the walkers' last positions, by their weights."""
    realizations = entry["models"][0]["realizations"]
    weights = np.array([float(one["weight"]) for one in realizations])
    told = {}
    for name, first in realizations[0]["parameters"].items():
        if "value" not in first:
            continue
        values = np.array([float(one["parameters"][name]["value"]) for one in realizations])
        if np.ptp(values) == 0.0:
            continue  # fixed, not fitted
        order = np.argsort(values)
        share = np.cumsum(weights[order])
        middle = (share - 0.5 * weights[order]) / share[-1] * 100.0
        told[name] = [float(np.interp(p, middle, values[order])) for p in _PERCENTILES]
    return told


def _event(job: dict[str, Any], curves: dict[str, npt.NDArray[Any]], k: int) -> Path:
    """A light curve in the Open Supernova Catalog's format: the points that are detections."""
    points = slice(int(curves["offsets"][k]), int(curves["offsets"][k + 1]))
    flux, error = curves["flux_njy"][points], curves["flux_err_njy"][points]
    use = np.flatnonzero(flux >= job["least_snr"] * error)
    if len(use) > job["most_points"]:
        use = use[np.linspace(0, len(use) - 1, job["most_points"]).astype(int)]
    source = {"source": "1"}
    photometry = [
        {
            "time": f"{curves['mjd'][points][i]:.5f}",
            "u_time": "MJD",
            "band": job["bands"][curves["band"][points][i]],
            "system": "AB",
            "magnitude": f"{_ZERO_POINT_NJY - 2.5 * np.log10(flux[i]):.4f}",
            "e_magnitude": f"{_MAGNITUDES_PER_RELATIVE_ERROR * error[i] / flux[i]:.4f}",
            **source,
        }
        for i in use
    ]
    name = f"object_{k}"
    event = {
        name: {
            "name": name,
            "sources": [{"name": "Tocsin", "alias": "1"}],
            "alias": [{"value": name, **source}],
            "redshift": [{"value": f"{curves['redshift'][k]:.5f}", **source}],
            "photometry": photometry,
        }
    }
    path = Path(f"{name}.json").resolve()
    path.write_text(json.dumps(event), encoding="utf-8")
    return path


def _write_filters(job: dict[str, Any]) -> None:
    """The user's curves, and boxes where none is given."""
    filters: dict[str, dict[str, object]] = {}
    for band, (low, high) in job["edges_angstrom"].items():
        if band in job["passbands"]:
            filters[band] = {"path": job["passbands"][band], "offset": 0}
        else:
            filters[band] = {
                "min_wavelength": low,
                "max_wavelength": high,
                "delta_wavelength": _STEP_ANGSTROM,
                "offset": 0,
            }
    _RULES.parent.mkdir(parents=True)
    _RULES.write_text(json.dumps([{"systems": ["AB"], "filters": filters}]), encoding="utf-8")
