"""Asks an extra: starts the Python that has it, hands it light curves, reads its answers.

Light curves go out as NumPy's ``.npz`` (no object arrays) and a JSON file; answers come back as
lines of JSON, one an object, so that what was done before the time is up counts.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.light_curve_file import LightCurveFile
from services.classify.optional.base import (
    Extra,
    ExtraFailedError,
    ExtraRefusedError,
    Job,
    Request,
    abstention_row,
    class_rows,
    parameter_rows,
)
from services.classify.optional.passbands import EDGES_ANGSTROM, passband_files
from shared.light_curves.bands import BANDS

RUN = Path(__file__).parent / "inside" / "run.py"
_START_S = 120.0
"""Importing torch on a cold disk takes a minute."""
_MOST_ANSWER_BYTES = 256 << 20
_MOST_CHARACTERS = 300
Answers = dict[int, dict[str, Any]]


def ask(
    extra: Extra, curves: LightCurveFile, request: Request
) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
    """Ask an extra about every object of a file.

    Returns
    -------
    columns
        Names of the columns.
    rows
        One or more for each object; for one that is not answered, one that says why.

    Raises
    ------
    ExtraRefusedError
        If it cannot be asked: not installed, a model that is none, too many objects.
    ExtraFailedError
        If its process ended without any answer.
    """
    if len(curves) > extra.most_objects:
        raise ExtraRefusedError(
            f"{len(curves)} objects, and {extra.name} takes at most {extra.most_objects} a file:"
            " select those that matter"
        )
    with TemporaryDirectory(prefix=f"tocsin-{extra.name}-") as temporary:
        folder = Path(temporary)
        job = extra.job(request, folder)
        reasons = _reasons(extra, curves, job)
        wanted = np.flatnonzero(reasons == "")
        answers: Answers = {}
        model_id = f"{extra.distribution} {job.model}"
        if len(wanted):
            _write(folder, extra, job, request, curves, wanted)
            ended = _run(request, folder)
            answers, version = _read(folder, extra, request, len(curves), ended)
            model_id = f"{extra.distribution} {version} {job.model}"
            for row in wanted.tolist():
                if row not in answers:
                    reasons[row] = ended or "not_answered"
    return job.columns, _rows(extra.name, model_id, curves, job, request, reasons.tolist(), answers)


def _reasons(extra: Extra, curves: LightCurveFile, job: Job) -> npt.NDArray[np.object_]:
    reasons = np.full(len(curves), "", dtype=object)
    for reason, applies in reversed(extra.grounds(curves, job)):
        reasons[applies] = reason
    return reasons


def _write(
    folder: Path,
    extra: Extra,
    job: Job,
    request: Request,
    curves: LightCurveFile,
    wanted: npt.NDArray[np.int64],
) -> None:
    chosen = curves.curves.curves(wanted)
    np.savez(
        folder / "curves.npz",
        row=wanted,
        offsets=chosen.offsets,
        mjd=chosen.mjd_tai,
        flux_njy=chosen.flux_njy.astype(np.float64),
        flux_err_njy=chosen.flux_err_njy.astype(np.float64),
        band=chosen.band,
        redshift=curves.redshift[wanted],
        ra_deg=curves.ra_deg[wanted],
        dec_deg=curves.dec_deg[wanted],
    )
    asked = {
        "extra": extra.name,
        "distribution": extra.distribution,
        "modules": list(extra.modules),
        "seconds": request.seconds,
        "bands": list(BANDS),
        "passbands": passband_files(request.passbands),
        "edges_angstrom": EDGES_ANGSTROM,
        **job.asked,
    }
    (folder / "job.json").write_text(json.dumps(asked), encoding="utf-8")
    (folder / "work").mkdir()


def _run(request: Request, folder: Path) -> str:
    """Run the other half; returns why it was stopped, empty if it was not."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    own = {
        # torch then reads arrays and plain values only, whatever the package asks for.
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "MOSFIT_CACHE_DIR": str(folder / "work"),
    }
    with (folder / "said.txt").open("wb") as said:
        try:
            subprocess.run(
                [str(request.python), "-I", str(RUN), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=folder / "work",
                env=kept | own,
                timeout=request.seconds + _START_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "out_of_time"
        except OSError as error:
            raise ExtraRefusedError(f"cannot start {request.python}: {error.strerror}") from error
    return ""


def _read(
    folder: Path, extra: Extra, request: Request, objects: int, ended: str
) -> tuple[Answers, str]:
    """Answers by object, and the version of the package."""
    answers: Answers = {}
    version = "of unknown version"
    path = folder / "answers.jsonl"
    if path.exists() and path.stat().st_size <= _MOST_ANSWER_BYTES:
        with path.open(encoding="utf-8") as source:
            for line in source:
                told = _told(line)
                if "missing" in told:
                    raise ExtraRefusedError(
                        f"{request.python} has no {', '.join(told['missing'])}: {extra.install}"
                    )
                if "refused" in told:
                    raise ExtraRefusedError(str(told["refused"])[:_MOST_CHARACTERS])
                version = str(told.get("version") or version)[:_MOST_CHARACTERS]
                row = told.get("row")
                if isinstance(row, int) and 0 <= row < objects:
                    answers[row] = told
    if not answers and not ended:
        raise ExtraFailedError(f"{extra.name} gave no answer: {_last_words(folder)}")
    return answers, version


def _told(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:  # cut where the process was stopped
        return {}
    return told if isinstance(told, dict) else {}


def _last_words(folder: Path) -> str:
    said = (folder / "said.txt").read_bytes()[-20_000:].decode("utf-8", "replace")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:_MOST_CHARACTERS] if lines else "it said nothing"


def _rows(
    name: str,
    model_id: str,
    curves: LightCurveFile,
    job: Job,
    request: Request,
    reasons: list[str],
    answers: Answers,
) -> Iterator[tuple[Any, ...]]:
    points = curves.curves.lengths
    for row, object_id in enumerate(curves.object_id.tolist()):
        head, tail = (object_id, name), (int(points[row]), model_id)
        told = answers.get(row, {})
        classes, parameters = _numbers(told.get("classes")), _percentiles(told.get("parameters"))
        if reasons[row]:
            yield abstention_row(job, head, tail, reasons[row])
        elif "classes" in told and classes:
            yield from class_rows(head, tail, classes, best_only=request.best_only)
        elif "parameters" in told and parameters:
            yield from parameter_rows(head, tail, parameters, job.units)
        else:
            why = str(told.get("reason") or "no_finite_answer")
            yield abstention_row(job, head, tail, why[:_MOST_CHARACTERS])


def _numbers(told: Any) -> Mapping[str, float]:
    if not isinstance(told, dict):
        return {}
    numbers = {str(k): float(v) for k, v in told.items() if isinstance(v, float | int)}
    return numbers if all(math.isfinite(v) for v in numbers.values()) else {}


def _percentiles(told: Any) -> Mapping[str, list[float]]:
    if not isinstance(told, dict):
        return {}
    return {
        str(k): [float(p) for p in v]
        for k, v in told.items()
        if isinstance(v, list)
        and len(v) == 3
        and all(isinstance(p, float | int) and math.isfinite(p) for p in v)
    }
