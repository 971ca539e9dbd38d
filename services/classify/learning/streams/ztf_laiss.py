"""Real ZTF objects of RCF and BTS spectra: Ia, II and AGN, 116 features computed by ANTARES.

Aleo et al. 2024 (LAISS, ApJ 974, 172). Ordered by ZTF's name, which begins with the year and
counts through it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from services.classify.learning.streams.base import LEAST_PRESENT, LabelledStream, missing

CLASSES = ("SN Ia", "SN II", "AGN")
_FOLDER = "light_curves/ztf_laiss_features"
_FILES = ("ztf_train_features.csv", "ztf_validation_features.csv", "ztf_pool_features.csv")
_ORIGIN = "TNS class"


def _class_of(name: str) -> int:
    if name.startswith("SN Ia"):
        return 0
    if name in {"SN II", "SN IIP", "SN IIb", "SN IIL"}:
        return 1
    return 2 if name == "AGN" else -1


def ztf_laiss_stream(data: Path) -> LabelledStream:
    """Read the stream from the data folder."""
    paths = [data / _FOLDER / name for name in _FILES]
    for path in paths:
        if not path.exists():
            raise missing(path)
    table = pa.concat_tables(
        [pa_csv.read_csv(path) for path in paths], promote_options="permissive"
    )
    names = table["ztf_object_id"].to_numpy().astype(str)
    label = np.array([_class_of(name) for name in table["tns_cls"].to_pylist()])
    columns = [name for name in table.column_names if name.startswith("feature_")]
    values = [table[name].cast(pa.float64()).to_numpy() for name in columns]
    rows = np.stack(values, axis=1).astype(np.float32)
    rows[~np.isfinite(rows)] = np.nan
    rows = rows[:, np.isfinite(rows).mean(axis=0) > LEAST_PRESENT]
    _, first = np.unique(names, return_index=True)
    order = first[label[first] >= 0]
    return LabelledStream(
        "ztf_laiss",
        rows[order],
        label[order].astype(np.int64),
        CLASSES,
        np.arange(len(order), dtype=np.float64),
        names[order],
    )
