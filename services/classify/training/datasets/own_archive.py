"""Your own light curves with labels: a folder ``own_archive`` under the data folder.

Holds ``light_curves.parquet`` or ``light_curves.csv``, as `tocsin classify` reads them, and
``labels.csv`` with ``object_id`` and ``label``, as `tocsin models evaluate` reads it. Objects
without a label, and labels in no taxonomy, train nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from services.classify.evaluation import class_of_label, read_labels
from services.classify.features.context import galactic_latitude_deg
from services.classify.light_curve_file import LightCurveFileError, read_light_curves
from services.classify.training.datasets.base import (
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
)

UNLABELLED = "unlabelled"


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``.

    Raises
    ------
    LightCurveFileError
        If there is not one file of light curves, or a file is not as documented.
    """
    files = OWN_ARCHIVE.paths(data)
    curve_files = [path for path in files if path.name != "labels.csv"]
    if len(curve_files) != 1:
        found = ", ".join(path.name for path in curve_files)
        raise LightCurveFileError(f"{curve_files[0].parent}: one file of light curves, not {found}")
    file = read_light_curves(curve_files[0])
    labels = read_labels(curve_files[0].parent / "labels.csv")
    class_name = np.array(
        [class_of_label(labels.get(one, UNLABELLED)) for one in file.object_id.tolist()]
    )
    truth = Truth(
        object_id=file.object_id,
        class_name=class_name,
        is_sn_ia=class_name == "SN Ia",
        redshift=np.full(len(file), np.nan),
    )
    around = Surroundings(galactic_latitude_deg(file.ra_deg, file.dec_deg), file.redshift)
    return LabelledLightCurves("own_archive", file.curves, truth, around)


OWN_ARCHIVE = DatasetDefinition(
    name="own_archive",
    files=("own_archive/light_curves.*", "own_archive/labels.csv"),
    is_simulated=False,
    load=load,
)
