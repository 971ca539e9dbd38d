"""Beside SuperNNova: the package's own ``classify_lcs`` on batches of light curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_BATCH = 200
_FLUXCAL_OF_NJY = 10.0 ** (-0.4 * (31.4 - 27.5))
"""SNANA's FLUXCAL has its zero point at 27.5 mag, the nanojansky at 31.4."""
_SAFE_TORCH = (2, 6)
"""Before it, what looks like weights alone could run code (CVE-2025-32434)."""


def answers(job: dict[str, Any], curves: dict[str, npt.NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """One answer for each object: a probability for each class, a mean over samples."""
    import torch  # noqa: PLC0415  # only this Python has it

    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _SAFE_TORCH:
        yield {"refused": f"torch {torch.__version__} loads models unsafely: 2.6 or newer"}
        return
    try:
        torch.load(job["model"], map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # whatever torch finds wrong with the file
        yield {"refused": refusal(error)}
        return
    from supernnova.validation.validate_onthefly import classify_lcs  # noqa: PLC0415

    torch.set_num_threads(1)
    count = len(curves["row"])
    for start in range(0, count, _BATCH):
        stop = min(start + _BATCH, count)
        table = _table(job, curves, start, stop)
        asked = set(range(start, stop))
        if len(table):
            ids, samples = classify_lcs(table, job["model"], "cpu")
            for index, probabilities in zip(ids, samples.mean(axis=1), strict=True):
                asked.discard(int(index))
                named = dict(zip(job["classes"], probabilities.tolist(), strict=True))
                yield {"row": int(curves["row"][int(index)]), "classes": named}
        for index in sorted(asked):
            yield {"row": int(curves["row"][index]), "reason": "no_point_in_the_models_bands"}


def refusal(error: Exception) -> str:
    """Why torch would not load a file as weights alone, in a line."""
    first = str(error).strip().splitlines()[0][:120] if str(error).strip() else ""
    return (
        f"the model is no file of weights alone ({type(error).__name__}: {first}); save its"
        " state_dict() with the package that made it"
    )


def _table(job: dict[str, Any], curves: dict[str, npt.NDArray[Any]], start: int, stop: int) -> Any:
    """SuperNNova's table: a row for each point, named by the object's place in the job."""
    import pandas as pd  # noqa: PLC0415

    offsets = curves["offsets"]
    points = slice(int(offsets[start]), int(offsets[stop]))
    names = np.array([job["filters"].get(band, "") for band in job["bands"]])
    table = pd.DataFrame(
        {
            "SNID": np.repeat(np.arange(start, stop), np.diff(offsets[start : stop + 1])),
            "MJD": curves["mjd"][points],
            "FLUXCAL": curves["flux_njy"][points] * _FLUXCAL_OF_NJY,
            "FLUXCALERR": curves["flux_err_njy"][points] * _FLUXCAL_OF_NJY,
            "FLT": names[curves["band"][points]],
            job["sntype_var"]: 0,
        }
    )
    return table[table["FLT"] != ""].reset_index(drop=True)
