"""A labelled stream: one row of features per object, in the order in which objects came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.classify.features import NAMES, features_of
from services.classify.training.datasets.base import LabelledLightCurves

HOST_FEATURES = ("rest_", "absolute_", "host_", "galactic_")
"""How the names of features begin that need more than the light curve."""
LEAST_PRESENT = 0.05
"""Share of objects that must have a feature for it to be used."""


@dataclass(frozen=True, slots=True)
class LabelledStream:
    """Objects in order of time."""

    name: str
    rows: npt.NDArray[np.float32]
    """Shape (n, features), NaN is missing."""
    label: npt.NDArray[np.int64]
    """Shape (n,): index into ``classes``."""
    classes: tuple[str, ...]
    time_days: npt.NDArray[np.float64]
    """Shape (n,), ascending: when the object's light curve was at its best."""
    object_id: npt.NDArray[np.str_]
    """Shape (n,)."""

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self.label)

    def of(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> LabelledStream:
        """Some of the objects, in the order given."""
        return LabelledStream(
            self.name,
            self.rows[keep],
            self.label[keep],
            self.classes,
            self.time_days[keep],
            self.object_id[keep],
        )


def light_curve_rows(
    dataset: LabelledLightCurves,
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Features that the light curve alone gives, shape (n, features), and their names."""
    unknown = np.full(len(dataset), np.nan)
    values = features_of(dataset.curves, unknown, unknown).values
    keep = [k for k, name in enumerate(NAMES) if not name.startswith(HOST_FEATURES)]
    return np.ascontiguousarray(values[keep].T), tuple(NAMES[k] for k in keep)


def brightest_time_days(dataset: LabelledLightCurves) -> npt.NDArray[np.float64]:
    """Time of each object's point of greatest S/N, shape (n,), MJD; NaN without points.

    What an observer sees, and not the simulator's time of maximum.
    """
    curves = dataset.curves
    snr = np.nan_to_num(curves.flux_njy / curves.flux_err_njy, nan=-np.inf)
    order = np.lexsort((snr, curves.alert_index))
    last = np.cumsum(curves.lengths) - 1
    times = np.full(len(curves), np.nan)
    some = curves.lengths > 0
    times[some] = curves.mjd_tai[order[last[some]]]
    return times


def stream_of(
    dataset: LabelledLightCurves,
    class_of: dict[str, str],
    classes: tuple[str, ...],
    time_days: npt.NDArray[np.float64],
) -> LabelledStream:
    """The objects of ``dataset`` whose class is in ``class_of``, by time."""
    index = {name: k for k, name in enumerate(classes)}
    label = np.array(
        [index.get(class_of.get(name, ""), -1) for name in dataset.truth.class_name.tolist()]
    )
    rows, _ = light_curve_rows(dataset)
    rows = rows[:, np.isfinite(rows).mean(axis=0) > LEAST_PRESENT]
    known = np.flatnonzero((label >= 0) & np.isfinite(time_days))
    order = known[np.argsort(time_days[known], kind="stable")]
    return LabelledStream(
        dataset.name,
        rows[order],
        label[order].astype(np.int64),
        classes,
        time_days[order],
        dataset.truth.object_id[order],
    )


def missing(path: Path) -> FileNotFoundError:
    """What to raise if a file of a stream is not there."""
    return FileNotFoundError(
        f"{path} is missing; set TOCSIN_DATA or --data to the folder that holds light_curves/"
    )
