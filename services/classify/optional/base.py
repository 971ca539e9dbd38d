"""The contract of an optional extra: light curves in, rows of documented columns out.

An extra is a package that Tocsin does not depend on. It is asked in a process of its own, by the
Python that has it (``--python``), because its requirements may contradict Tocsin's; Tocsin's half
of an extra says what goes in and when it must abstain, the half in ``inside/`` runs beside the
package. Nothing that comes from outside is unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from services.classify.light_curve_file import LightCurveFile
from shared.errors import TocsinError

CLASS_COLUMNS = (
    "object_id",
    "classifier",
    "class",
    "probability",
    "p_unknown",
    "n_points",
    "model_id",
    "reason",
)
PARAMETER_COLUMNS = (
    "object_id",
    "classifier",
    "parameter",
    "unit",
    "p16",
    "p50",
    "p84",
    "n_points",
    "model_id",
    "reason",
)
"""Percentiles of a parameter's posterior; of an extra that estimates and does not classify."""

MOST_MODEL_BYTES = 512 << 20
_MOST_PARAMETERS = 200


class ExtraRefusedError(TocsinError):
    """The extra cannot be asked so; the message says what to mend."""


class ExtraFailedError(TocsinError):
    """The extra was asked, and its process gave no answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asked of an extra."""

    python: Path
    """The Python interpreter that has the package."""
    model: str | None = None
    """A file, or the name of a model that the package brings."""
    seconds: float = 600.0
    """How long all objects together may take."""
    best_only: bool = False
    passbands: Path | None = None
    """Folder of ``u.dat`` ... ``y.dat``: wavelength (Angstrom), transmission."""
    trees: Path | None = None
    """Folder of LightGBM's text models and ``classes.json``; ParSNIP only."""
    zero_point: float = 25.0
    """AB magnitude of one unit of the flux that ParSNIP is given."""
    iterations: int = 1000
    walkers: int = 50
    """Steps and walkers of MOSFiT's ensemble."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was found to be acceptable."""

    columns: tuple[str, ...]
    """``CLASS_COLUMNS`` or ``PARAMETER_COLUMNS``."""
    model: str
    """Name of the model, or the first digits of its file's SHA-256."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What the half in ``inside/`` is told, as JSON."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of each parameter that has one."""


Ground = tuple[str, npt.NDArray[np.bool_]]
"""A reason not to ask, and for which objects, shape (n,), it holds."""


class Extra(Protocol):
    """What ``tocsin classify --with`` needs of an extra."""

    @property
    def name(self) -> str:
        """What it is called after ``--with``."""
        ...

    @property
    def distribution(self) -> str:
        """The package as it is installed; its version is part of every model's id."""
        ...

    @property
    def modules(self) -> tuple[str, ...]:
        """What its Python must be able to import."""
        ...

    @property
    def install(self) -> str:
        """How its Python is made."""
        ...

    @property
    def most_objects(self) -> int:
        """How many objects one file may hold."""
        ...

    def job(self, request: Request, folder: Path) -> Job:
        """Look at the request; ``folder`` is the job's own, for files it needs.

        Raises
        ------
        ExtraRefusedError
            If it cannot be carried out, or not safely.
        """
        ...

    def grounds(self, curves: LightCurveFile, job: Job) -> Sequence[Ground]:
        """Grounds to abstain, the first that applies being given as the reason."""
        ...


def class_rows(
    head: tuple[str, str], tail: tuple[int, str], classes: Mapping[str, float], *, best_only: bool
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``CLASS_COLUMNS``; an extra knows nothing of ``p_unknown``."""
    names = [max(classes, key=lambda name: classes[name])] if best_only else list(classes)
    for name in names:
        yield (*head, name, f"{classes[name]:.6f}", "", *tail, "ok")


def parameter_rows(
    head: tuple[str, str],
    tail: tuple[int, str],
    parameters: Mapping[str, Sequence[float]],
    units: Mapping[str, str],
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``PARAMETER_COLUMNS``."""
    for name, percentiles in list(parameters.items())[:_MOST_PARAMETERS]:
        yield (*head, name, units.get(name, ""), *(f"{p:.6g}" for p in percentiles), *tail, "ok")


def abstention_row(
    job: Job, head: tuple[str, str], tail: tuple[int, str], reason: str
) -> tuple[Any, ...]:
    """The one row of an object that is not answered."""
    blanks = ("",) * (len(job.columns) - len(head) - len(tail) - 1)
    return (*head, *blanks, *tail, reason)


def model_file(path: str, suffixes: Sequence[str]) -> Path:
    """The file a user named; raises ``ExtraRefusedError`` if it is none we would open."""
    found = Path(path)
    if found.suffix.lower() not in suffixes:
        raise ExtraRefusedError(f"{path}: a model's name ends in {' or '.join(suffixes)}")
    if not found.is_file():
        raise ExtraRefusedError(f"there is no file {path}")
    if found.stat().st_size > MOST_MODEL_BYTES:
        raise ExtraRefusedError(f"{path} is larger than {MOST_MODEL_BYTES >> 20} MiB: no model")
    return found


def fingerprint(path: Path) -> str:
    """The first twelve hexadecimal digits of a file's SHA-256."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()[:12]


def detections(curves: LightCurveFile, least_snr: float) -> npt.NDArray[np.int64]:
    """How many points of each object are at least so significant; shape (n,)."""
    points = curves.curves
    strong = points.flux_njy >= least_snr * points.flux_err_njy
    return np.bincount(points.alert_index[strong], minlength=len(curves)).astype(np.int64)
